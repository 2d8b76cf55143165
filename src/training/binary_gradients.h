// The backward pass of a binary convolution, on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>

#include "graph/network.h"
#include "training/precision.h"

namespace bittern::training {

struct BinaryGradients {
  at::Tensor input;   // through the quantizer; as x
  at::Tensor kernel;  // [taps, in, out]
};

// The fastest first.
inline constexpr std::array<Precision, 3> kPrecisions = {Precision::kInt16, Precision::kBf16,
                                                         Precision::kFp32};

// Whether this processor and build compute gradients in it. fp32 is everybody's.
bool is_supported(Precision precision);

// x [time, frequency, clips, in], kernel [taps, in, out] (+-1) and the gradient of the output [time',
// frequency', clips, out], contiguous. The signs of x and the kernel are exact in every precision: only dy is
// rounded.
BinaryGradients binary_gradients(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
                                 const graph::BinaryConv2d& convolution, Precision precision);

}  // namespace bittern::training
