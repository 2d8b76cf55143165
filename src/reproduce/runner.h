// Trains what an experiment asks for, several runs side by side, each in a process of its own. What was done
// before is found again: a run that ended is not run twice, one that was cut off goes on.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/status.h"
#include "reproduce/experiment.h"
#include "reproduce/record.h"

namespace bittern::reproduce {

// Where everything of an experiment lies, and what is known of runs that lie there no more.
struct Folder {
  std::filesystem::path root;
  Record record = {};
  std::filesystem::path run(const std::string& name) const { return root / "runs" / name; }
  std::filesystem::path model(const std::string& name) const { return run(name) / "best.bittern"; }
  std::filesystem::path metrics(const std::string& name) const { return run(name) / "metrics.jsonl"; }
  std::filesystem::path results() const { return root / "results.json"; }
  // What a training said on standard error.
  std::filesystem::path log(const std::string& name) const;
};

// `root` with its record, which must fit where a run's folder is gone. What was trained must be what the
// experiment would train (agreement.h).
Expected<Folder> open_folder(const std::filesystem::path& root, const Experiment& experiment);

// How far a run is, by what lies in its folder.
struct RunState {
  int epochs = 0;
  double seconds = 0;  // that these epochs took
  bool done = false;
  bool recorded = false;  // done, but only its results are left
};
RunState state_of(const Folder& folder, const Experiment& experiment, const Run& run);

struct RunnerOptions {
  std::filesystem::path train_program;  // bittern-train
  int jobs = 1;                         // trainings side by side; each works on one thread
  // Called every second with epochs done and wanted, over all runs; false stops: trainings write their
  // checkpoints and end, and the result is kCancelled. May be null.
  std::function<bool(std::size_t done, std::size_t total, const std::string& note)> progress;
};

// A run that fails does not stop the others: its error, one line, is in `failed`.
struct RunnerResult {
  std::vector<std::string> failed;
};
Expected<RunnerResult> train_all(const Experiment& experiment, const Folder& folder,
                                 const RunnerOptions& options);

// All options that the experiment's trainings have in common, as in a run's recipe.json; null where
// Experiment::recipe_of is.
Expected<nlohmann::ordered_json> common_recipe(const Experiment& experiment);

// The training's command line, the program first.
std::vector<std::string> command_of(const Experiment& experiment, const Folder& folder, const Run& run,
                                    const std::filesystem::path& train_program);

}  // namespace bittern::reproduce
