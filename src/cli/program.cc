#include "cli/program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <exception>
#include <filesystem>
#include <memory>
#include <new>
#include <set>
#include <string>
#include <vector>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/separate.h"

namespace bittern::cli {
namespace {

// CLI11's layout, with the option and its value on the left, as docs/command-line.md writes them, and all
// else behind the description: "--rate HZ    Sample rate of raw PCM in Hz [from 1 to 768000; default 16000;
// ...]".
class HelpFormatter final : public CLI::Formatter {
 public:
  HelpFormatter() {
    label("SUBCOMMAND", "COMMAND ...");
    label("Positionals", "Arguments");
    column_width(28);
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const std::string type = split_type(option).first;
    return type.empty() || option->get_positional() ? "" : " " + type;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::vector<std::string> remarks;
    if (option->get_required() && !option->get_positional()) remarks.emplace_back("required");
    if (const std::string range = split_type(option).second; !range.empty()) remarks.push_back(range);
    if (!option->get_default_str().empty()) remarks.push_back("default " + option->get_default_str());
    if (!option->get_needs().empty()) remarks.push_back("with " + names(option->get_needs()));
    if (!option->get_excludes().empty()) remarks.push_back("not with " + names(option->get_excludes()));
    if (remarks.empty()) return option->get_description();
    std::string description = option->get_description();
    // Behind the first line: a list may follow.
    description.insert(std::min(description.find('\n'), description.size()),
                       fmt::format(" [{}]", fmt::join(remarks, "; ")));
    return description;
  }

  // Without CLI11's remark on how many commands are wanted.
  std::string make_description(const CLI::App* app) const override { return app->get_description() + "\n"; }

 private:
  // CLI11 writes "TYPE:range of values".
  static std::pair<std::string, std::string> split_type(const CLI::Option* option) {
    if (option->get_type_size() == 0) return {};  // a flag
    const std::string text = option->get_type_name();
    const std::size_t colon = std::min(text.find(':'), text.size());
    return {text.substr(0, colon), text.substr(std::min(colon + 1, text.size()))};
  }

  static std::string names(const std::set<CLI::Option*>& options) {
    std::set<std::string> sorted;
    for (const CLI::Option* option : options) sorted.insert(option->get_name());
    return fmt::format("{}", fmt::join(sorted, ", "));
  }
};

enum ExitStatus { kDone = 0, kFailed = 1, kUsage = 2, kInterrupted = 130 };

int finish(const Status& status) {
  if (status.ok()) {
    const Status flushed = flush_out();
    if (flushed.ok()) return kDone;
    print_error(flushed.error().message);
    return kFailed;
  }
  // What was printed before the failure still stands; a second error about it would say nothing new.
  static_cast<void>(flush_out());
  print_error(status.error().message);
  return status.error().code == ErrorCode::kCancelled ? kInterrupted : kFailed;
}

// What is wrong with the command line, and where to read on.
std::string usage_error(const CLI::ParseError& error, const CLI::App* called,
                        std::span<const char* const> arguments) {
  std::string message = one_line(error.what());
  if (called == nullptr) {
    message = arguments.empty()
                  ? "which command?"
                  : fmt::format("there is no {} '{}'", arguments[0][0] == '-' ? "option" : "command",
                                one_line(arguments[0]));
    return fmt::format("{} (see bittern --help)", message);
  }
  // CLI11 tells what is missing before it tells what it did not know.
  for (const std::string& unknown : called->remaining()) {
    if (!unknown.starts_with('-') || unknown == "--") continue;
    message = fmt::format("there is no option '{}'", one_line(unknown));
    std::error_code ignored;
    if (std::filesystem::exists(unknown, ignored))
      message += fmt::format("; for the file of that name write './{}'", one_line(unknown));
    break;
  }
  // CLI11: "The following arguments were not expected: a b"
  if (message.find(" not expected: ") != std::string::npos) {
    const auto& left = called->remaining();
    const auto word = std::ranges::find_if(left, [](const std::string& one) { return one != "--"; });
    message = fmt::format("'{}' is one argument too many", one_line(word == left.end() ? "--" : *word));
  }
  // CLI11: "--exit: 1 required K:from 1 to 16 missing".
  if (message.ends_with(" missing")) message = message.substr(0, message.find(':')) + " needs a value";
  // "--epochs: At Most 1 required but received 2"
  if (message.find(" required but received ") != std::string::npos)
    message = message.substr(0, message.find(':')) + " is given more than once";
  // "Could not convert: --exit-weights = [1,x]"
  constexpr std::string_view kNoNumber = "Could not convert: ";
  if (message.starts_with(kNoNumber)) message = message.substr(kNoNumber.size()) + ": not a number";
  // "json was given a disallowed flag override"
  if (message.ends_with(" flag override"))
    message = fmt::format("--{} takes no value", message.substr(0, message.find(' ')));
  return fmt::format("{} (see bittern {} --help)", message, called->get_name());
}

int parse_and_run(std::span<const Command* const> commands, std::span<const char* const> arguments) {
  CLI::App app("Binary neural networks with early exits for audio classification on small devices.",
               "bittern");
  app.formatter(std::make_shared<HelpFormatter>());
  app.set_version_flag("--version", std::string("bittern ") + BITTERN_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });

  std::vector<CLI::App*> subcommands;
  std::vector<std::function<Status()>> runs;
  for (const Command* command : commands) {
    std::string summary(command->summary);
    if (command->configure == nullptr && !is_installed(*command)) summary += " (not installed)";
    CLI::App* subcommand = app.add_subcommand(std::string(command->name), summary)->group("Commands");
    Arguments given(*subcommand);
    runs.push_back(command->configure == nullptr ? nullptr : command->configure(given));
    subcommands.push_back(subcommand);
  }

  const auto called = [&]() -> std::size_t {
    std::size_t i = 0;
    while (i < subcommands.size() && !subcommands[i]->parsed()) ++i;
    return i;
  };
  try {
    // The program's name is `app`'s.
    std::vector<const char*> line{"bittern"};
    line.insert(line.end(), arguments.begin(), arguments.end());
    app.parse(static_cast<int>(line.size()), line.data());
    catch_interrupts();
    return finish(runs[called()]());
  } catch (const CLI::Success& request) {  // --help, --version
    app.exit(request);
    return finish({});
  } catch (const CLI::ParseError& error) {
    const std::size_t command = called();
    print_error(usage_error(error, command < subcommands.size() ? subcommands[command] : nullptr, arguments));
    return kUsage;
  }
}

// A file that is opened would get the number of a standard stream that is closed, and what is meant for the
// stream would go into it. Reading and writing the stream fail as before.
void fill_closed_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) < 0 && errno == EBADF)
      static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
}

// Nothing gets past here.
int guarded(std::span<const Command* const> commands, std::span<const char* const> arguments) {
  // A reader that has seen enough (`| head`) ends the program as it ends any filter, also where the parent
  // ignores the signal.
  std::signal(SIGPIPE, SIG_DFL);
  fill_closed_streams();
  keep_error_output();
  try {
    return parse_and_run(commands, arguments);
  } catch (const std::bad_alloc&) {
    print_error("out of memory");
  } catch (const std::exception& error) {
    print_error(fmt::format("internal error: {}", error.what()));
  }
  return kFailed;
}

}  // namespace

int run_program(std::span<const Command* const> commands, int argc, const char* const* argv) {
  for (const Command* command : commands) {
    if (command->configure == nullptr && argc > 1 && argv[1] == command->name)
      return finish(become(*command, argv));
  }
  return guarded(commands, {argv + std::min(argc, 1), argv + argc});
}

int run_separate_program(const Command& command, int argc, const char* const* argv) {
  const std::string name(command.name);
  std::vector<const char*> arguments{name.c_str()};
  arguments.insert(arguments.end(), argv + std::min(argc, 1), argv + argc);
  const Command* commands[] = {&command};
  return guarded(commands, arguments);
}

}  // namespace bittern::cli
