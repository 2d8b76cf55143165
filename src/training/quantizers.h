// Sign with the gradients that training gives it (Larq's definitions). sign(x) = -1 if x < 0, else +1.
#pragma once

#include <ATen/core/Tensor.h>

namespace bittern::training {

// y = sign(x); dx = dy where |x| <= clip, else 0.
at::Tensor ste_sign(const at::Tensor& x, float clip);

// y = sign(x); dx = dy * (2 - 2 |x|) where |x| <= 1, else 0.
at::Tensor approx_sign(const at::Tensor& x);

// a = mean |w| over all axes but the last, [channels]; no gradient flows through it.
at::Tensor magnitude(const at::Tensor& w);

// y = a * sign(w), a = magnitude(w); dw = a * dy where |w| <= clip, else 0. The network itself convolves with
// ste_sign(w) and multiplies by a afterwards, the same in exact arithmetic: integers stay integers, as in the
// runtime.
at::Tensor magnitude_aware_sign(const at::Tensor& w, float clip);

// Without gradients.
at::Tensor sign(const at::Tensor& x);

}  // namespace bittern::training
