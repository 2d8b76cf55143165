// The backward pass of a binary convolution, on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "graph/network.h"
#include "training/precision.h"

namespace bittern::training {

struct BinaryGradients {
  at::Tensor input;   // through the quantizer; as x
  at::Tensor kernel;  // [taps, in, out]
};

// Whether this processor and build compute gradients in it. fp32 is everybody's.
bool is_supported(Precision precision);

// Those that are, the fastest first: lookups are ahead of bf16 on AVX-512, behind it where a processor has
// tiles for it (AMX). Never empty.
std::vector<Precision> supported_precisions();

// x [time, frequency, clips, in], kernel [taps, in, out] (+-1) and the gradient of the output [time',
// frequency', clips, out], contiguous. The signs of x and the kernel are exact in every precision: only dy is
// rounded.
BinaryGradients binary_gradients(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
                                 const graph::BinaryConv2d& convolution, Precision precision);

}  // namespace bittern::training
