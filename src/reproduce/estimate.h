// How long an experiment will still take.
#pragma once

#include <cstddef>

#include "core/status.h"
#include "reproduce/experiment.h"
#include "reproduce/runner.h"

namespace bittern::reproduce {

struct Estimate {
  double seconds = 0;  // for all runs that are not done, `jobs` side by side
  // Epochs that it rests on. 0: none was trained yet, and only this machine's speed at multiplying is known.
  std::size_t measured_epochs = 0;
};

// Scans the tasks' folders. A training's time is taken to grow with clips times MACs.
Expected<Estimate> estimate(const Experiment& experiment, const Folder& folder, int jobs);

}  // namespace bittern::reproduce
