// bittern reproduce --config FILE --out DIR: all trainings of an experiment, and one report of them.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/report_file.h"
#include "cli/separate.h"
#include "cli/test_recordings.h"
#include "cli/train_options.h"
#include "core/atomic_file.h"
#include "core/folder_lock.h"
#include "core/text.h"
#include "json/text.h"
#include "reproduce/estimate.h"
#include "reproduce/experiment.h"
#include "reproduce/results.h"
#include "reproduce/runner.h"
#include "training/recipe.h"

namespace bittern::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct Options {
  std::string config;
  std::string data;
  std::string out;
  int jobs = 1;
  bool dry_run = false;
  bool collect = false;
  bool json = false;
  bool quiet = false;
};

// "3 h 20 min", "12 min", "40 s"
std::string duration(double seconds) {
  const auto whole = static_cast<long long>(seconds);
  if (whole >= 3600) return fmt::format("{} h {} min", whole / 3600, whole % 3600 / 60);
  if (whole >= 60) return fmt::format("{} min", whole / 60);
  return fmt::format("{} s", whole);
}

Status print_plan(const reproduce::Experiment& experiment, const reproduce::Folder& folder,
                  const Options& options) {
  BITTERN_ASSIGN_OR_RETURN(const reproduce::Estimate estimate,
                           reproduce::estimate(experiment, folder, options.jobs));
  const std::vector<reproduce::Run> runs = experiment.runs();
  if (options.json) {
    Json json{{"runs", Json::array()},
              {"jobs", options.jobs},
              {"estimate_s", estimate.seconds},
              {"measured_epochs", estimate.measured_epochs}};
    for (const reproduce::Run& run : runs) {
      const reproduce::RunState state = reproduce::state_of(folder, experiment, run);
      json["runs"].push_back({{"run", experiment.name(run)},
                              {"epochs", experiment.epochs},
                              {"epochs_done", state.epochs},
                              {"done", state.done}});
    }
    return write_out(json::text(json, 2) + "\n");
  }
  Table table(
      {{"run", Table::Align::kLeft, 0}, {"epochs", Table::Align::kRight, 0}, {"", Table::Align::kLeft, 0}});
  for (const reproduce::Run& run : runs) {
    const reproduce::RunState state = reproduce::state_of(folder, experiment, run);
    table.add({experiment.name(run), fmt::format("{}/{}", state.epochs, experiment.epochs),
               state.done         ? "done"
               : state.epochs > 0 ? "begun"
                                  : ""});
  }
  const std::string basis = estimate.measured_epochs == 0
                                ? "from this machine's speed alone: the first epochs will tell better"
                                : fmt::format("from {} trained", counted(estimate.measured_epochs, "epoch"));
  return write_out(fmt::format("{}\n{}, {} side by side: about {} ({})\n", table.str(),
                               counted(runs.size(), "training"), options.jobs, duration(estimate.seconds),
                               basis));
}

Expected<reproduce::RunnerResult> train(const reproduce::Experiment& experiment,
                                        const reproduce::Folder& folder, const Options& options) {
  if (!is_installed(kTrainCommand)) {
    return unsupported(
        "reproduce: there is no bittern-train beside bittern; build with -DBITTERN_TRAINING=ON");
  }
  BITTERN_ASSIGN_OR_RETURN(const std::string program, program_of(kTrainCommand));
  Progress progress("training", "epochs", options.quiet);
  reproduce::RunnerOptions running;
  running.train_program = program;
  running.jobs = options.jobs;
  running.progress = [&](std::size_t done, std::size_t total, const std::string& note) {
    progress.update(done, total, note);
    return !interrupted();
  };
  return reproduce::train_all(experiment, folder, running);
}

Expected<Json> recipe_of(const std::vector<std::string>& command) {
  BITTERN_ASSIGN_OR_RETURN(const TrainCommandOptions options,
                           read_train_options({command.begin() + 1, command.end()}));
  return training::to_json(options.train.recipe);
}

Expected<reproduce::Experiment> read_experiment(const Options& options) {
  const fs::path root =
      options.data.empty() ? fs::path(options.config).parent_path() : fs::path(options.data);
  BITTERN_ASSIGN_OR_RETURN(reproduce::Experiment experiment,
                           reproduce::read_experiment(options.config, root));
  experiment.recipe_of = recipe_of;
  // Before the first training, not in the log of each.
  const reproduce::Folder nowhere{options.out};
  for (const reproduce::Run& run : experiment.runs()) {
    const Expected<Json> recipe = recipe_of(reproduce::command_of(experiment, nowhere, run, ""));
    if (recipe.ok()) continue;
    return invalid_argument(fmt::format("{}, train: {}", options.config, recipe.error().message));
  }
  return experiment;
}

// Whether the recordings that are still needed are there.
Status check_data(const reproduce::Experiment& experiment, const reproduce::Folder& folder,
                  const Options& options) {
  for (const reproduce::Run& run : experiment.runs()) {
    const reproduce::RunState state = reproduce::state_of(folder, experiment, run);
    const bool needed = options.dry_run || (state.done ? !state.recorded : !options.collect);
    const fs::path& data = experiment.tasks[run.task].data;
    std::error_code ignored;
    if (!needed || fs::exists(data, ignored)) continue;
    return not_found(fmt::format("{}: no such folder; say with --data DIR where the data lie that {} names",
                                 data.string(), options.config));
  }
  return {};
}

Status run(const Options& options) {
  BITTERN_RETURN_IF_ERROR(can_write_page());
  BITTERN_ASSIGN_OR_RETURN(const reproduce::Experiment experiment, read_experiment(options));
  BITTERN_ASSIGN_OR_RETURN(reproduce::Folder folder, reproduce::open_folder(options.out, experiment));
  BITTERN_RETURN_IF_ERROR(check_data(experiment, folder, options));
  if (options.dry_run) return print_plan(experiment, folder, options);

  std::error_code error;
  fs::create_directories(folder.root, error);
  if (error) return io_error(fmt::format("{}: {}", options.out, error.message()));
  FolderLock lock;
  if (!options.collect) {
    BITTERN_ASSIGN_OR_RETURN(lock, lock_folder(folder.root, "bittern reproduce"));
    // Another may have ended since.
    BITTERN_ASSIGN_OR_RETURN(folder, reproduce::open_folder(options.out, experiment));
  }
  BITTERN_RETURN_IF_ERROR(
      write_file(folder.root / "experiment.json", json::text(experiment.source, 2) + "\n"));
  reproduce::RunnerResult trained;
  if (!options.collect) {
    BITTERN_ASSIGN_OR_RETURN(trained, train(experiment, folder, options));
  }
  for (const std::string& line : trained.failed) print_error(line);

  Json results;
  {
    // While we trained, --collect may have been called, and a run's folder taken away after it.
    BITTERN_ASSIGN_OR_RETURN(folder, reproduce::open_folder(options.out, experiment));
    Progress progress("evaluating", "models", options.quiet);
    reproduce::ResultOptions measuring;
    measuring.threads = options.jobs;
    measuring.progress = follow(progress);
    BITTERN_ASSIGN_OR_RETURN(results, reproduce::measure_results(experiment, folder, measuring));
  }
  TestRecordings recordings(experiment);
  const auto recording = [&](const std::string& task, const std::string& file) {
    return recordings.of(task, file);
  };
  BITTERN_RETURN_IF_ERROR(write_reproduction(results, recording, folder.root));
  if (!options.quiet) {
    BITTERN_RETURN_IF_ERROR(
        write_out(fmt::format("{}: {} of {}; {}\n", options.out, results["finished"].get<std::size_t>(),
                              counted(results["planned"].get<std::int64_t>(), "training"),
                              (folder.root / "report.html").string())));
  }
  // Told above, line by line.
  if (!trained.failed.empty()) return Error{ErrorCode::kInternal, ""};
  return {};
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.add("--config FILE", options->config, "The experiment, such as experiments/paper.json")
      .check(not_empty())
      .required();
  arguments
      .add("--data DIR", options->data,
           "Where the folders lie that the experiment names; default: beside its file")
      .check(not_empty());
  arguments.add("--out DIR", options->out, "Folder for trainings, results and report; what is there goes on")
      .check(not_empty())
      .required();
  add_threads_argument(arguments, options->jobs, "Trainings side by side, one thread each", "--jobs N");
  arguments.flag("--dry-run", options->dry_run, "Only print what is to be trained and how long it may take");
  arguments.flag("--collect", options->collect,
                 "Train nothing: only measure what is finished, and report it");
  arguments.flag("--json", options->json, "With --dry-run: print JSON");
  arguments.flag("--quiet", options->quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

}  // namespace

const Command kReproduceCommand{"reproduce", "Train and compare all that an experiment asks for", configure};

}  // namespace bittern::cli
