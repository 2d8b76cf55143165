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

// {
//   "title", "conditions", "epochs", "placement", "thresholds", "finished": N, "planned": N,
//   "tasks":    [{"name", "paper", "labels", "clips", "speakers"}],
//   "networks": [{"architecture", "paper", "parameters", "packed_mib", "float32_mib", "peak", "front_end_us",
//                 "exits": [{"exit", "layer", "macs_binary", "macs_float", "time_us"}]}],
//   "runs":     [{"task", "architecture", "single_exit", "seed",
//                 "exits": [{"exit", "accuracy"}],
//                 "rules": [{"threshold", "accuracy", "average_exit", "histogram", "histogram_per_class"}],
//                 "clips": [{"file", "truth", "answers", "entropies"}]}]
// }
//
// rules and clips are of joint runs only; answers and entropies [exits], answers by label. networks without a
// finished run have no times. A network's times are measured here and now, with random weights where no model
// of it is left. What the folder's record holds is taken from there.
Expected<nlohmann::ordered_json> measure_results(const Experiment& experiment, const Folder& folder,
                                                 const ResultOptions& options);

}  // namespace bittern::reproduce
