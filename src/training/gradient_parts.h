// What every way of making a binary convolution's gradients needs besides its sums.
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"
#include "training/sliding_window.h"

namespace bittern::training {

// The gradient through the quantizer of `convolution`: of `count` inputs x, from that of their signs.
void pass_signs(const graph::BinaryConv2d& convolution, const float* x, const float* dsigns, float* dx,
                std::int64_t count);

// A tap that reads +1 outside the input passes the output's gradient on to all its weights: adds that of
// dy [time', frequency', clips, out] to dkernel [taps, in, out]. Nothing where zeros lie outside.
void add_padding_gradient(const graph::BinaryConv2d& convolution, const SlidingWindow& window,
                          const at::Tensor& dy, const at::Tensor& dkernel);

// to[i] += from[i].
void add_each(const float* from, float* to, std::int64_t count);

}  // namespace bittern::training
