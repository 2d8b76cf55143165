#include "cli/options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <thread>

namespace bittern::cli {
namespace {

CLI::Validator finite(std::string wanted, std::function<bool(double)> accepts) {
  return {[wanted, accepts = std::move(accepts)](std::string& text) {
            double value = 0;
            if (CLI::detail::lexical_cast(text, value) && std::isfinite(value) && accepts(value))
              return std::string();
            return fmt::format("'{}' is not a number {}", text, wanted);
          },
          std::move(wanted)};
}

}  // namespace

void fail_usage(const std::string& message) {
  throw CLI::ValidationError(message, CLI::ExitCodes::ValidationError);
}

CLI::Validator finite_at_least(double low) {
  return finite(fmt::format(">= {}", low), [low](double x) { return x >= low; });
}
CLI::Validator finite_above(double low) {
  return finite(fmt::format("> {}", low), [low](double x) { return x > low; });
}
CLI::Validator finite_within(double low, double high) {
  return finite(fmt::format("in [{}, {}]", low, high),
                [low, high](double x) { return x >= low && x <= high; });
}

CLI::Validator one_of(std::vector<std::string> words) {
  return {[words = std::move(words)](std::string& text) {
            if (std::find(words.begin(), words.end(), text) != words.end()) return std::string();
            return fmt::format("'{}' is not one of: {}", text, fmt::join(words, ", "));
          },
          ""};
}

CLI::Option* add_threads_option(CLI::App& app, int& threads) {
  constexpr int kMost = 256;
  threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMost);
  return app.add_option("--threads", threads, "Threads to work with; the result does not depend on it")
      ->check(CLI::Range(1, kMost))
      ->capture_default_str();
}

}  // namespace bittern::cli
