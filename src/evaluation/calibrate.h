// Temperatures and thresholds of a model from labelled clips that it was not trained on.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/status.h"
#include "evaluation/collect.h"
#include "evaluation/metrics.h"
#include "evaluation/thresholds.h"

namespace bittern::evaluation {

enum class Goal : std::uint8_t {
  kAccuracyLoss,  // at most so much less accurate than the last exit
  kMacs,          // at most this share of the network's work on average
  kTime,          // at most so many microseconds on average
};

struct CalibrateOptions {
  Goal goal = Goal::kAccuracyLoss;
  double limit = 0.01;  // in the goal's unit
  double confidence = 0.95;
  bool by_speaker = false;               // clips whose speaker is not known are left out
  std::vector<float> temperatures = {};  // [exits] to keep; empty: fitted
  std::vector<double> exit_us = {};      // [exits], features to decision; needed for kTime
  std::uint64_t seed = 0;                // of the split in halves
};

// One half of the clips (`halves.tuning`) gave temperatures and the order of thresholds; what is promised was
// tested on the other, of which all numbers here are.
struct Calibration {
  std::vector<float> temperatures;  // [exits]
  std::vector<double> ece;          // [exits] with the temperatures
  std::vector<double> ece_without;  // [exits] with temperature 1
  std::vector<float> thresholds;    // [exits], of the rule "entropy"
  Halves halves;                    // places among the clips that are not left out
  std::size_t left_out = 0;         // by speaker: clips of no known speaker
  std::size_t speakers = 0;         // groups among the clips that test
  Outcome outcome;                  // under the thresholds
  Proportion last_accuracy;         // of the last exit
  // Of what is promised, in its unit, over the clips or, where these are one observation each, speakers.
  double mean = 0;
  double accuracy_loss = 0;  // the difference
  double time_us = 0;        // on average; 0 without exit_us
};

// Errors, kInvalidArgument: too few clips, a limit that is out of reach; the line says how many clips would
// do.
Expected<Calibration> calibrate(const Collected& collected, const Truth& truth,
                                const CalibrateOptions& options);

// The promise in words, as a model's operating point carries it. `split` names the clips.
std::string promise_text(const Calibration& calibration, const CalibrateOptions& options,
                         const std::string& split);

}  // namespace bittern::evaluation
