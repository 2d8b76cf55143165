// Float convolution with TensorFlow's padding on tensors [time, frequency, clips, channels].
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"

namespace bittern::training {

// kernel: [time, frequency, in / groups, out]; bias [out] may be undefined. `attributes` must outlive the
// backward pass.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias,
                       const graph::Conv2d& attributes);

}  // namespace bittern::training
