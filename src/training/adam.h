// Adam (Kingma and Ba 2015) on one tensor.
#pragma once

#include <cstdint>
#include <span>

namespace bittern::training {

struct AdamSettings {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

// Step `step` (from 1):
//   m <- beta1 m + (1 - beta1) g,   v <- beta2 v + (1 - beta2) g^2
//   w <- w - learning_rate * (m / (1 - beta1^step)) / (sqrt(v / (1 - beta2^step)) + epsilon)
void adam_step(std::span<float> weights, std::span<const float> gradients, std::span<float> first,
               std::span<float> second, const AdamSettings& settings, std::int64_t step);

// The constraint on latent weights of 1-bit kernels: w <- min(max(w, -limit), limit).
void clip_weights(std::span<float> weights, float limit);

}  // namespace bittern::training
