// What a training says of each of its epochs.
#pragma once

#include <string>
#include <vector>

#include "evaluation/interval.h"

namespace bittern::training {

// One line of metrics.jsonl.
struct EpochReport {
  int epoch = 0;    // from 1
  double loss = 0;  // the exits' losses, weighted
  std::vector<double> exit_losses;
  std::vector<double> learned_weights;  // of the exits' losses, at the epoch's end; empty: not learned
  std::vector<evaluation::Proportion> accuracy;  // per exit, on validation
  double learning_rate = 0;                      // at the epoch's last step
  double samples_per_s = 0;  // 0: not known, all steps were done before this process went on
  double time_s = 0;
  bool real_kernels = false;  // of the first stage: a network that is not exported
  bool best = false;
};
std::string metrics_line(const EpochReport& report);

}  // namespace bittern::training
