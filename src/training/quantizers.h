// Sign with the gradients that training gives it (Larq's definitions). sign(x) = -1 if x < 0, else +1.
#pragma once

#include <ATen/core/Tensor.h>

#include "graph/network.h"

namespace bittern::training {

// y = sign(x); dx = dy where |x| <= clip, else 0.
at::Tensor ste_sign(const at::Tensor& x, float clip);

// y = sign(x); dx = dy * (2 - 2 |x|) where |x| <= 1, else 0.
at::Tensor approx_sign(const at::Tensor& x);

// a = mean |w| over all axes but the last, [channels]; no gradient flows through it. A kernel quantised to a
// * sign(w) is convolved with as ste_sign(w), and a multiplies afterwards, the same in exact arithmetic:
// integers stay integers, as in the runtime.
at::Tensor magnitude(const at::Tensor& w);

// Whole numbers, with gradients as if nothing had been rounded: x * scale, at least -zero and at most 255 -
// zero (conv2d_int8.h), its gradient 0 beyond.
at::Tensor int8_levels(const at::Tensor& x, const graph::Int8Input& input);

// What one step of an int8 kernel [.., out] is worth, [out]: the largest of each output's weights is 127 of
// them.
at::Tensor int8_steps(const at::Tensor& w);
// w / steps as whole numbers from -127 to 127, with gradients as if nothing had been rounded.
at::Tensor int8_kernel(const at::Tensor& w, const at::Tensor& steps);

// Without gradients.
at::Tensor sign(const at::Tensor& x);

}  // namespace bittern::training
