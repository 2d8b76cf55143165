// Pooling with TensorFlow's rules on tensors [time, frequency, clips, channels].
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"

namespace bittern::training {

// Padding never wins. The gradient goes to the first of equal largest.
at::Tensor max_pool(const at::Tensor& x, const graph::MaxPool& pool);

// Divides by the pixels inside the input.
at::Tensor average_pool(const at::Tensor& x, const graph::AvgPool& pool);

}  // namespace bittern::training
