// A rectifier whose slope below zero is learned.
#pragma once

#include <ATen/core/Tensor.h>

namespace bittern::training {

// x: [..., channels], slope: [channels]. y = x where x > 0, else x * slope.
at::Tensor prelu(const at::Tensor& x, const at::Tensor& slope);

}  // namespace bittern::training
