// What happens to a convolution's sums before they are stored, in the same pass.
#pragma once

#include <cstdint>

#include "kernels/view.h"

namespace bittern::kernels {

// Steps in this order, each optional (null, false or an empty view: left out). Per channel c of the output;
// every multiplication and addition is rounded to float, never fused:
//
//   y = sum
//   y = y * scale[c]
//   y = y + bias[c]
//   y = y > 0 ? y : 0                           relu
//   y = y * norm_scale[c] + norm_bias[c]        (both or neither)
//   y = residual(t, f, c) + y
//   y = y > 0 ? y : 0                           final_relu
//   y = y > 0 ? y : y * slope[c]
//   output(t, f, c) = y;  signs(t, f) bit c = y < 0, or y * sign_scale[c] + sign_bias[c] < 0 (both or
//   neither)
//
// `residual` has the output's shape and may be the very same view (each element is read before it is
// written). `signs` has words_for(channels) words a pixel; bits past the last channel are written as 0.
// Arrays are [channels], 4-byte aligned.
struct Epilogue {
  const float* scale = nullptr;
  const float* bias = nullptr;
  bool relu = false;
  const float* norm_scale = nullptr;
  const float* norm_bias = nullptr;
  View<const float> residual;
  bool final_relu = false;
  const float* slope = nullptr;
  View<std::uint64_t> signs;
  const float* sign_scale = nullptr;
  const float* sign_bias = nullptr;
};

}  // namespace bittern::kernels
