// What the finished runs of an experiment are worth, on their tasks' test clips.
#pragma once

#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "core/status.h"
#include "reproduce/experiment.h"
#include "reproduce/runner.h"

namespace bittern::reproduce {

struct ResultOptions {
  int threads = 1;
  int latency_runs = 200;
  // Called with runs measured; false stops with kCancelled. May be null.
  std::function<bool(std::size_t done, std::size_t total)> progress;
};

// clang-format off
// {
//   "title", "conditions": {"train", "thresholds"}, "recipe", "epochs", "placement", "single_exits",
//   "finished": N, "planned": N,
//   "machine":  {"processor", "instruction_set", "runs"},
//   "tasks":    [{"name", "paper", "labels", "clips", "speakers", "train_clips", "validation_clips"}],
//   "networks": [{"architecture", "paper", "parameters", "packed_mib", "float32_mib", "front_end_us",
//                 "exits": [{"exit", "layer", "macs_binary", "macs_float", "macs_int8", "time_us"}]}],
//   "runs":     [{"task", "architecture", "single_exit", "seed", "data_digest", "precision", "tool_version",
//                 "exits": [{"exit", "accuracy"}],
//                 "rules": [{"threshold", "accuracy", "average_exit", "histogram", "histogram_per_class"}],
//                 "clips": [{"file", "truth", "answers", "entropies"}]}]
// }
// clang-format on
//
// conditions: of the experiment, as they stand in its file; recipe: all options that trainings have in
// common, as in a run's recipe.json, where Experiment::recipe_of knows them. machine: where times were
// measured, of so many runs each. data_digest, precision and tool_version are the models' own; runs that an
// older build measured lack them. macs_int8: those of macs_float in int8, where there are any. train_clips
// and validation_clips are told where the task's folder is there. rules and clips are of joint runs only;
// answers and entropies [exits], answers by label. networks without a finished run have no times. A network's
// times are measured here and now, with random weights where no model of it is left. What the folder's record
// holds is taken from there.
Expected<nlohmann::ordered_json> measure_results(const Experiment& experiment, const Folder& folder,
                                                 const ResultOptions& options);

}  // namespace bittern::reproduce
