// Pooling and padding with TensorFlow's rules on tensors [time, frequency, clips, channels].
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"

namespace bittern::training {

at::Tensor max_pool(const at::Tensor& x, const graph::MaxPool& pool);
at::Tensor average_pool(const at::Tensor& x, const graph::AvgPool& pool);

// Float convolution. kernel: [time, frequency, in / groups, out]; bias may be undefined.
at::Tensor convolution(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias,
                       const graph::Conv2d& attributes);

}  // namespace bittern::training
