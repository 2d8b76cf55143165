// Bop (Helwegen and others 2019), the optimiser of 1-bit kernels: no latent weights, a weight flips when the
// moving average of its gradient has pushed against it for long enough.
#pragma once

#include <span>

namespace bittern::training {

// One step, as Larq computes it, over weights, gradients and their averages of the same length:
//   m <- m + gamma * (g - m)
//   w <- lq_sign(-tf_sign(w * m - threshold) * w),   tf_sign(0) = 0, lq_sign(x) = -1 if x < 0 else +1
// So w = +-1 flips where w * m > threshold and stays where it is below; where it equals the threshold
// exactly, w becomes +1. A latent w (its first step only) acts by its magnitude in w * m and is +-1
// afterwards.
void bop_step(std::span<float> weights, std::span<const float> gradients, std::span<float> averages,
              float gamma, float threshold);

}  // namespace bittern::training
