#include "cli/arguments.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <thread>
#include <utility>

namespace bittern::cli {
namespace {

Check number(const std::string& range, std::function<bool(double)> accepts) {
  return {range, [range, accepts = std::move(accepts)](const std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && accepts(value))
              return std::string();
            return fmt::format("'{}' is not a number {}", text, range);
          }};
}

// All of `text` in base 10: CLI11 takes a leading zero for octal, and -1 for a large unsigned number.
template <class T>
bool parse_whole(const std::string& text, T& value) {
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && stop == end;
}

std::string not_whole(const std::string& text, const std::string& range) {
  return fmt::format("'{}' is not a whole number {}", text, range);
}

// "--rate HZ" is CLI11's option "--rate" of type "HZ"; of the positional "MODEL" the name says it all.
template <class T>
CLI::Option* add_to(CLI::App& app, const std::string& usage, T&& target, const std::string& help) {
  const std::size_t space = usage.find(' ');
  CLI::Option* option = app.add_option(usage.substr(0, space), std::forward<T>(target), help);
  return option->type_name(space == std::string::npos ? "" : usage.substr(space + 1));
}

template <class T>
CLI::Option* add_whole(CLI::App& app, const std::string& usage, T& value, const std::string& help) {
  const std::string name = usage.substr(0, usage.find(' '));
  const CLI::callback_t take = [&value, name](const CLI::results_t& given) {
    if (!parse_whole(given.front(), value))
      throw CLI::ValidationError(
          name, not_whole(given.front(), fmt::format("from {} to {}", std::numeric_limits<T>::min(),
                                                     std::numeric_limits<T>::max())));
    return true;
  };
  return add_to(app, usage, take, help)->default_function([&value] { return fmt::format("{}", value); });
}

template <class T>
CLI::Option* add_list(CLI::App& app, const std::string& usage, T& values, const std::string& help) {
  return add_to(app, usage, values, help)->delimiter(',')->allow_extra_args(false);
}

}  // namespace

void fail_usage(const std::string& message) {
  throw CLI::ValidationError(message, CLI::ExitCodes::ValidationError);
}

Check at_least(double low) {
  return number(fmt::format("at least {}", low), [low](double x) { return x >= low; });
}
Check above(double low) {
  return number(fmt::format("above {}", low), [low](double x) { return x > low; });
}
Check within(double low, double high) {
  return number(fmt::format("from {} to {}", low, high),
                [low, high](double x) { return x >= low && x <= high; });
}

Check whole_within(int low, int high) {
  const std::string range = fmt::format("from {} to {}", low, high);
  return {range, [low, high, range](const std::string& text) {
            int value = 0;
            if (parse_whole(text, value) && value >= low && value <= high) return std::string();
            return not_whole(text, range);
          }};
}

Check not_empty() {
  return {"", [](const std::string& text) { return text.empty() ? std::string("is empty") : std::string(); }};
}

Check one_of(std::vector<std::string> words) {
  return {"", [words = std::move(words)](const std::string& text) {
            if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
            return fmt::format("'{}' is not one of: {}", text, fmt::join(words, ", "));
          }};
}

Argument& Argument::required() {
  option_->required();
  return *this;
}
Argument& Argument::check(Check check) {
  option_->check(
      CLI::Validator([complaint = std::move(check.complaint)](std::string& text) { return complaint(text); },
                     std::move(check.range)));
  return *this;
}
Argument& Argument::show_default() {
  option_->capture_default_str();
  return *this;
}
Argument& Argument::needs(const Argument& other) {
  option_->needs(other.option_);
  return *this;
}
Argument& Argument::excludes(const Argument& other) {
  option_->excludes(other.option_);
  return *this;
}

Argument Arguments::add(const std::string& usage, std::string& value, const std::string& help) {
  return Argument(add_to(app_, usage, value, help));
}
Argument Arguments::add(const std::string& usage, int& value, const std::string& help) {
  return Argument(add_whole(app_, usage, value, help));
}
Argument Arguments::add(const std::string& usage, std::uint64_t& value, const std::string& help) {
  return Argument(add_whole(app_, usage, value, help));
}
Argument Arguments::add(const std::string& usage, float& value, const std::string& help) {
  return Argument(add_to(app_, usage, value, help));
}
Argument Arguments::add(const std::string& usage, double& value, const std::string& help) {
  return Argument(add_to(app_, usage, value, help));
}
Argument Arguments::add(const std::string& usage, std::optional<float>& value, const std::string& help) {
  return Argument(add_to(app_, usage, value, help));
}
Argument Arguments::add(const std::string& usage, std::vector<std::string>& values, const std::string& help) {
  const CLI::callback_t take = [&values](const CLI::results_t& given) {
    values = given;
    return true;
  };
  // Where extra arguments are allowed, CLI11 takes "[a,b]" apart, which may be a file. So it is told that
  // very many are wanted, and not to mind that fewer come.
  constexpr int kMany = 1 << 28;
  return Argument(add_to(app_, usage, take, help)
                      ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
                      ->expected(kMany, CLI::detail::expected_max_vector_size)
                      ->allow_extra_args(false));
}
Argument Arguments::flag(const std::string& usage, bool& value, const std::string& help) {
  return Argument(app_.add_flag(usage, value, help)->disable_flag_override());
}
Argument Arguments::list(const std::string& usage, std::vector<std::string>& values,
                         const std::string& help) {
  return Argument(add_list(app_, usage, values, help));
}
Argument Arguments::list(const std::string& usage, std::vector<double>& values, const std::string& help) {
  return Argument(add_list(app_, usage, values, help));
}

void add_threads_argument(Arguments& arguments, int& threads, const std::string& help,
                          const std::string& usage) {
  constexpr int kMost = 256;
  threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
  arguments.add(usage, threads, help).check(whole_within(1, kMost)).show_default();
}

}  // namespace bittern::cli
