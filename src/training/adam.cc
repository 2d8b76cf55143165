#include "training/adam.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace bittern::training {

void adam_step(std::span<float> weights, std::span<const float> gradients, std::span<float> first,
               std::span<float> second, const AdamSettings& settings, std::int64_t step) {
  const auto n = static_cast<double>(step);
  const auto beta1 = static_cast<float>(settings.beta1);
  const auto beta2 = static_cast<float>(settings.beta2);
  const auto rest1 = static_cast<float>(1.0 - settings.beta1);  // 1.0F - 0.999F is 5e-5 off
  const auto rest2 = static_cast<float>(1.0 - settings.beta2);
  const auto rate = static_cast<float>(settings.learning_rate / (1.0 - std::pow(settings.beta1, n)));
  const auto root = static_cast<float>(1.0 / std::sqrt(1.0 - std::pow(settings.beta2, n)));
  const auto epsilon = static_cast<float>(settings.epsilon);
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const float g = gradients[i];
    first[i] = beta1 * first[i] + rest1 * g;
    second[i] = beta2 * second[i] + rest2 * g * g;
    weights[i] -= rate * first[i] / (std::sqrt(second[i]) * root + epsilon);
  }
}

void clip_weights(std::span<float> weights, float limit) {
  for (float& weight : weights) weight = std::clamp(weight, -limit, limit);
}

}  // namespace bittern::training
