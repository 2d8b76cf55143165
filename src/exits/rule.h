// When to leave. A rule looks at what the exits have said so far and decides whether the latest answer
// stands.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/status.h"
#include "graph/network.h"

namespace bittern::exits {

// What one exit said.
struct Answer {
  int label = 0;      // argmax, the first of equals
  float entropy = 0;  // nats
  float max_probability = 0;
  float margin = 0;  // largest minus second largest probability
};

// One file and one line in rules.cc make one of these.
struct Rule {
  std::string_view name;  // "entropy", "max-probability", "margin", "patience"
  std::string_view summary;
  float default_threshold;
  std::array<float, 5> sweep;  // thresholds that evaluations report
  Status (*check)(float threshold);
  // answers: exits 1..k, the latest last. True: leave with the latest.
  bool (*leave)(std::span<const Answer> answers, float threshold);
  // The threshold is a number of exits: more than a network has means no more than all of them.
  bool counts_exits = false;
};

std::span<const Rule> rules();
Expected<const Rule*> find_rule(std::string_view name);

// A rule with its thresholds, or a fixed exit. The last exit always answers.
struct Policy {
  const Rule* rule = nullptr;                         // null: leave at `exit`
  std::array<float, graph::kMaxExits> thresholds{};   // per exit, [0] for exit 1
  int exit = 0;                                       // from 1; 0: the last
  bool leave(std::span<const Answer> answers) const;  // answers.size() is the exit just computed
  bool one_threshold() const;                         // by rule, the same at every exit

  // The same threshold at every exit. Errors: an unknown rule, a threshold that the rule refuses.
  static Expected<Policy> with_threshold(std::string_view rule, float threshold);
  // One threshold per exit, such as a model's operating point has them; at most graph::kMaxExits.
  static Expected<Policy> with_thresholds(std::string_view rule, std::span<const float> thresholds);
  static Expected<Policy> at_exit(int exit, int exits);
};

// p_i = exp((l_i - max l) / temperature) / sum, own exp (core/math.h), summed in ascending order; up to
// 2^-126: 0. `only`, if not empty, [classes] of 0 or 1 with at least one 1: the rest get 0 and take no part.
// Logits must be finite, temperature positive.
void softmax(std::span<const float> logits, float temperature, std::span<float> probabilities,
             std::span<const std::uint8_t> only = {}) noexcept;
// H = -sum p ln p in nats; 0 ln 0 = 0.
float entropy(std::span<const float> probabilities) noexcept;
Answer answer(std::span<const float> probabilities) noexcept;

}  // namespace bittern::exits
