// How fast a model runs here, beside what the machine could do at most. One thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/isa.h"
#include "core/status.h"
#include "graph/counts.h"
#include "model/model.h"

namespace bittern::evaluation {

struct Quantiles {
  double median = 0;
  double p90 = 0;
  double p99 = 0;
};
// Of at least one value; the nearest rank.
Quantiles quantiles(std::vector<double> values);

struct ExitLatency {
  int exit = 0;       // from 1
  std::string layer;  // that it reads
  graph::Macs macs;   // up to it, exits' own layers left out
  // Features to this exit's decision, all exits before it asked too.
  Quantiles time_us;
  double stage_us = 0;   // median of the stage alone, its exit included
  double decide_us = 0;  // of that: pool, dense layer, softmax, entropy and rule; median
  // macs.binary over the popcount peak plus macs.as_float() over the float peak.
  double floor_us = 0;
  double floor_share = 0;  // floor over median time: 1 is the machine's limit
};

struct StepLatency {
  int stage = 0;  // from 1
  std::string name;
  std::string_view kernel;  // "exit" for an exit's own layers
  graph::Macs macs;
  double time_us = 0;  // median
  double share = 0;    // of all steps' medians
};

// Of each step's times, [steps][runs] in nanoseconds: median, and its share of all medians. One run in which
// the machine did something else moves none of them.
struct StepTime {
  double time_us = 0;
  double share = 0;
};
std::vector<StepTime> step_times(const std::vector<std::vector<double>>& step_ns);

struct Latency {
  Isa isa = Isa::kBaseline;
  int runs = 0;
  int frames = 0;
  Quantiles front_end_us;  // a window of samples to features
  double binary_peak = 0;  // MACs per second: xor, popcount, add on registers alone
  double float_peak = 0;   // MACs per second: multiply, then add on registers alone
  std::size_t arena_bytes = 0;
  std::vector<ExitLatency> exits;
  std::vector<StepLatency> steps;
};

struct LatencyOptions {
  Isa isa = best_isa();
  int runs = 200;
};

// Runs the model's window `runs` times through all stages. Between runs the two peaks are measured, so that
// what slows the machine down for a while slows both. `go_on(done, total)` is asked between runs; false stops
// with kCancelled. May be null.
Expected<Latency> measure_latency(const std::shared_ptr<const model::Model>& model,
                                  const LatencyOptions& options,
                                  const std::function<bool(std::size_t, std::size_t)>& go_on);

}  // namespace bittern::evaluation
