#include <algorithm>
#include <limits>

#include "core/math.h"
#include "exits/rule.h"

namespace bittern::exits {

void softmax(std::span<const float> logits, float temperature, std::span<float> probabilities,
             std::span<const std::uint8_t> only) noexcept {
  const auto takes_part = [&](std::size_t i) { return only.empty() || only[i] != 0; };
  bool found = false;
  float largest = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (!takes_part(i)) continue;
    largest = found ? std::max(largest, logits[i]) : logits[i];
    found = true;
  }
  float sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    probabilities[i] = takes_part(i) ? math::exp((logits[i] - largest) / temperature) : 0.0F;
    sum += probabilities[i];
  }
  if (!found) return;
  // The least normal number too: a machine may flush what only rounds up to it.
  constexpr float kLeastNormal = std::numeric_limits<float>::min();
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const float p = probabilities[i] / sum;
    probabilities[i] = p <= kLeastNormal ? 0.0F : p;
  }
}

float entropy(std::span<const float> probabilities) noexcept {
  float sum = 0;
  for (const float p : probabilities) {
    if (p > 0) sum += p * math::log(p);
  }
  return 0.0F - sum;  // not -sum: a sure answer has entropy 0, not -0
}

Answer answer(std::span<const float> probabilities) noexcept {
  Answer result;
  float second = 0;
  result.max_probability = probabilities.empty() ? 0.0F : probabilities[0];
  for (std::size_t i = 1; i < probabilities.size(); ++i) {
    const float p = probabilities[i];
    if (p > result.max_probability) {
      second = result.max_probability;
      result.max_probability = p;
      result.label = static_cast<int>(i);
    } else {
      second = std::max(second, p);
    }
  }
  result.margin = result.max_probability - second;
  result.entropy = entropy(probabilities);
  return result;
}

}  // namespace bittern::exits
