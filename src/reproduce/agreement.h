// Whether trainings that are finished are what the experiment would train now: same options, same recordings.
#pragma once

#include <map>
#include <string>
#include <utility>

#include "core/status.h"
#include "datasets/dataset.h"
#include "reproduce/experiment.h"
#include "reproduce/runner.h"

namespace bittern::reproduce {

// The experiment's data sets, each scanned once for each seed that training clips are drawn with.
class DataSets {
 public:
  explicit DataSets(const Experiment& experiment) : experiment_(experiment) {}
  // Whether the task's folder is there at all: results can be reported without it.
  bool there(std::size_t task) const;
  Expected<const datasets::Dataset*> of(std::size_t task, std::uint64_t seed);
  Expected<std::string> digest(const Run& run);

 private:
  const Experiment& experiment_;
  std::map<std::pair<std::size_t, std::uint64_t>, datasets::Dataset> scanned_;
  std::map<std::pair<std::size_t, std::uint64_t>, std::string> digests_;
};

// Compares a run's folder, where something was trained in it: recipe.json and the model's own recipe with
// what the experiment's command says (where Experiment::recipe_of knows), the model's data with what lies
// there. An error names the run and the option.
Status check_folder(const Experiment& experiment, const Folder& folder, const Run& run, DataSets& data);

// Compares a run of which only its results are left. Those of an older build tell no digest: the test clips'
// names must do.
Status check_recorded(const Experiment& experiment, const Folder& folder, const Run& run, DataSets& data);

}  // namespace bittern::reproduce
