// Convolutions whose channels stand in groups of a few, on the CPU.
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"

namespace bittern::training {

// x [time, frequency, clips, groups x in], kernel [taps, in, groups x out], contiguous floats -> [time',
// frequency', clips, groups x out]. `attributes` must outlive the backward pass. Matrix products of so few
// rows and columns are not worth unfolding anything for.
at::Tensor grouped_convolution(const at::Tensor& x, const at::Tensor& kernel,
                               const graph::Conv2d& attributes);

}  // namespace bittern::training
