#include "training/bop.h"

#include <cstddef>

namespace bittern::training {

void bop_step(std::span<float> weights, std::span<const float> gradients, std::span<float> averages,
              float gamma, float threshold) {
  for (std::size_t i = 0; i < weights.size(); ++i) {
    averages[i] += gamma * (gradients[i] - averages[i]);
    const float w = weights[i];
    const float margin = w * averages[i] - threshold;
    // -tf_sign(margin) * w < 0 exactly where margin and w have the same, non-zero sign.
    const bool negative = (margin > 0.0F && w > 0.0F) || (margin < 0.0F && w < 0.0F);
    weights[i] = negative ? -1.0F : 1.0F;
  }
}

}  // namespace bittern::training
