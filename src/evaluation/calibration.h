// Do probabilities mean what they say? Their error, and the temperature that mends most of it.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "evaluation/collect.h"
#include "evaluation/interval.h"
#include "evaluation/metrics.h"

namespace bittern::evaluation {

inline constexpr std::size_t kCalibrationBins = 15;

// The expected calibration error (Naeini et al. 2015, Guo et al. 2017) of exit `exit`, from 1: clips fall by
// the probability p of their answer into kCalibrationBins equal bins, the b-th holding (b - 1) / bins < p <=
// b / bins; the mean over clips of |share right - mean p| of their bin. 0 without clips.
double expected_calibration_error(const Answers& answers, const Truth& truth, int exit);

// The clips of one of these bins: what the exit said, and how often it was so.
struct ReliabilityBin {
  std::size_t bin = 0;  // b, from 1
  double mean_probability = 0;
  Proportion accuracy;
};

// The bins of exit `exit` that have clips, in their order.
std::vector<ReliabilityBin> reliability(const Answers& answers, const Truth& truth, int exit);

// What temperatures are searched in; a fit at an end means that the clips say nothing more than "extreme".
inline constexpr double kLeastFit = 0.01;
inline constexpr double kMostFit = 100;

// The temperature in [kLeastFit, kMostFit] that makes the true labels of `clips` (indices) likeliest at exit
// `exit`, from 1. The likelihood has one peak: its logarithm is concave in 1 / temperature. 1 without clips.
float fit_temperature(const Collected& collected, std::span<const int> labels,
                      std::span<const std::size_t> clips, int exit);

}  // namespace bittern::evaluation
