// The backward pass of a binary convolution on a processor's matrix tiles (AMX), bf16 in and float32 out.
#pragma once

#include "training/binary_gradients.h"

namespace bittern::training {

// Whether this processor has tiles for bf16 and the system lets us use them.
bool has_tiles();

// As binary_gradients(), where has_tiles(): dy is rounded to bf16, sums are float32 in one order, whatever
// the number of threads.
BinaryGradients tile_gradients(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
                               const graph::BinaryConv2d& convolution);

}  // namespace bittern::training
