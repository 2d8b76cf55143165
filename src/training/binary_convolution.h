// Convolution of signs with signs, forward and backward.
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"

namespace bittern::training {

// signs: [time, frequency, clips, in], +-1. kernel: [taps, in, out], +-1 (any floats work). Result: [time',
// frequency', clips, out]. Outside the input lies 0 or +1, as convolution.pad_value says. Linear in both
// arguments; the quantizers are the caller's.
at::Tensor binary_convolution(const at::Tensor& signs, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution);

}  // namespace bittern::training
