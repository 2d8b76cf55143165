// The command line: finds the command, parses, runs, and turns the outcome into an exit status.
#include <fmt/format.h>

#include <array>
#include <csignal>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"

namespace bittern::cli {
namespace {

// A command of a room that this build may lack.
#ifdef BITTERN_HAS_TRAINING
#define BITTERN_TRAINING_COMMAND(command) &(command)
#else
#define BITTERN_TRAINING_COMMAND(command) nullptr
#endif

struct Entry {
  std::string_view name;
  const Command* command;   // null: left out of this build
  std::string_view option;  // the build option that brings it; empty: always there
};

// The list of commands, in the order of --help. One of a room that may be missing reads
//   {"train", BITTERN_TRAINING_COMMAND(kTrainCommand), "BITTERN_TRAINING"},
const std::vector<Entry>& entries() {
  static const std::vector<Entry> list{
      {"classify", &kClassifyCommand, ""},
      {"evaluate", &kEvaluateCommand, ""},
      {"inspect", &kInspectCommand, ""},
      {"train", BITTERN_TRAINING_COMMAND(kTrainCommand), "BITTERN_TRAINING"},
      {"export", BITTERN_TRAINING_COMMAND(kExportCommand), "BITTERN_TRAINING"},
  };
  return list;
}

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

// A command that was left out swallows whatever follows it and says how to get it.
std::function<Status()> configure_missing(CLI::App& app, const Entry& entry) {
  app.description(fmt::format("(not in this build: configure with -D{}=ON)", entry.option));
  app.allow_extras();
  app.set_help_flag();
  return [entry]() -> Status {
    return unsupported(fmt::format("{} was not built: configure with -D{}=ON", entry.name, entry.option));
  };
}

int run(int argc, const char* const* argv) {
  CLI::App app("Binary neural networks with early exits for audio classification on small devices.",
               "bittern");
  app.set_version_flag("--version", std::string("bittern ") + BITTERN_VERSION);
  app.require_subcommand(1);
  app.failure_message([](const CLI::App*, const CLI::Error&) { return std::string(); });

  std::vector<std::function<Status()>> runs;
  std::vector<const CLI::App*> subcommands;
  for (const Entry& entry : entries()) {
    CLI::App* subcommand = app.add_subcommand(std::string(entry.name));
    if (entry.command != nullptr) {
      subcommand->description(std::string(entry.command->summary));
      runs.push_back(entry.command->configure(*subcommand));
    } else {
      runs.push_back(configure_missing(*subcommand, entry));
    }
    subcommands.push_back(subcommand);
  }

  const auto called = [&]() -> std::size_t {
    std::size_t i = 0;
    while (i < subcommands.size() && !subcommands[i]->parsed()) ++i;
    return i;
  };
  try {
    app.parse(argc, argv);
    catch_interrupts();
    return finish(runs[called()]());
  } catch (const CLI::Success& request) {  // --help, --version
    app.exit(request);
    return finish({});
  } catch (const CLI::ParseError& error) {
    const std::size_t command = called();
    std::string hint = "bittern --help";
    if (command < entries().size()) hint = fmt::format("bittern {} --help", entries()[command].name);
    std::string message = one_line(error.what());
    if (command == entries().size() && argc < 2) message = "which command?";
    print_error(fmt::format("{} (see {})", message, hint));
    return kUsage;
  }
}

}  // namespace
}  // namespace bittern::cli

int main(int argc, char** argv) {
  // A reader that has seen enough (`| head`) ends the program as it ends any filter, also where the parent
  // ignores the signal.
  std::signal(SIGPIPE, SIG_DFL);
  try {
    return bittern::cli::run(argc, argv);
  } catch (const std::bad_alloc&) {
    bittern::cli::print_error("out of memory");
  } catch (const std::exception& error) {
    bittern::cli::print_error(fmt::format("internal error: {}", error.what()));
  }
  return bittern::cli::kFailed;
}
