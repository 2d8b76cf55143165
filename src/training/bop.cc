#include "training/bop.h"

#include <cstddef>

#include "training/vectorised.h"

namespace bittern::training {

namespace {

// -tf_sign(margin) * w < 0 exactly where margin and w have the same, non-zero sign.
BITTERN_VECTORISED void step_each(float* __restrict weights, const float* __restrict gradients,
                                  float* __restrict averages, std::size_t count, float gamma,
                                  float threshold) {
  for (std::size_t i = 0; i < count; ++i) {
    averages[i] += gamma * (gradients[i] - averages[i]);
    const float margin = weights[i] * averages[i] - threshold;
    weights[i] = margin * weights[i] > 0.0F ? -1.0F : 1.0F;
  }
}

}  // namespace

void bop_step(std::span<float> weights, std::span<const float> gradients, std::span<float> averages,
              float gamma, float threshold) {
  step_each(weights.data(), gradients.data(), averages.data(), weights.size(), gamma, threshold);
}

}  // namespace bittern::training
