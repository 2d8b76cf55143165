// The trainer's layers and optimisers from torch's own operations: what runs on other devices than the CPU,
// where this room's loops do. Same definitions (batch_norm.h, binary_convolution.h, convolution.h, pooling.h,
// adam.h, bop.h), same layout [time, frequency, clips, channels]; sums may be made in another order.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "graph/network.h"
#include "training/adam.h"
#include "training/batch_norm.h"

namespace bittern::training::portable {

at::Tensor binary_convolution(const at::Tensor& x, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution);

// Without a bias.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& kernel, const graph::Conv2d& attributes);

at::Tensor max_pool(const at::Tensor& x, const graph::MaxPool& pool);
at::Tensor average_pool(const at::Tensor& x, const graph::AvgPool& pool);

at::Tensor prelu(const at::Tensor& x, const at::Tensor& slope);

// x: [rows, channels]; y and the batch's own mean and biased variance, which have no gradients.
struct Normalized {
  at::Tensor y;
  at::Tensor mean;
  at::Tensor variance;
};
Normalized batch_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta,
                      const BatchNormSettings& settings);

// Weights and averages change in place: a tensor is a handle, const or not. All of one shape.
void bop_step(const at::Tensor& weights, const at::Tensor& gradients, const at::Tensor& averages, float gamma,
              float threshold);
void adam_step(const at::Tensor& weights, const at::Tensor& gradients, const at::Tensor& first,
               const at::Tensor& second, const AdamSettings& settings, std::int64_t step);

}  // namespace bittern::training::portable
