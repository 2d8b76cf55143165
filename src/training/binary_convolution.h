// The binary convolution, forward and backward.
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"
#include "training/precision.h"

namespace bittern::training {

// x: [time, frequency, clips, in], binarised by convolution.input_quantizer (quantizers.h has its gradients).
// kernel: [taps, in, out], +-1, already quantized: its gradient is passed through. Result: [time',
// frequency', clips, out], integers. Outside the input lies 0 or +1, as convolution.pad_value says;
// `convolution` must outlive the backward pass. On the CPU the sums are made by the runtime's own kernel;
// `precision` is that of the backward pass.
at::Tensor binary_convolution(const at::Tensor& x, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution, Precision precision = Precision::kFp32);

}  // namespace bittern::training
