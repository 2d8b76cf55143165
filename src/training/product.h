// A matrix product with gradients.
#pragma once

#include <ATen/core/Tensor.h>

namespace bittern::training {

// rows [n, in] x kernel [in, out], float32.
at::Tensor product(const at::Tensor& rows, const at::Tensor& kernel);

}  // namespace bittern::training
