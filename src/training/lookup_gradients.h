// The backward pass of a binary convolution by table lookups (lookup_product.h), on processors with AVX-512.
#pragma once

#include "training/binary_gradients.h"

namespace bittern::training {

// As binary_gradients(), with dy in fixed point: for the input's gradient in blocks along its channels, for
// the kernel's along its clips. Sums have one order, whatever the number of threads.
BinaryGradients lookup_gradients(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
                                 const graph::BinaryConv2d& convolution);

}  // namespace bittern::training
