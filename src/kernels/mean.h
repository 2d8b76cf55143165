// Means over time, of what stands before an exit's pool: ReLU and batch norm included.
#pragma once

#include "kernels/view.h"

namespace bittern::kernels {

// With y(t, f, c) = input(t, f, c), then `y > 0 ? y : 0` where `relu`, then `y * scale[c] + bias[c]` (both or
// neither null), product and sum each rounded to float:
//
//   mean_time:   output[f * channels + c] = (sum over t ascending of y(t, f, c)) / time
//   mean_global: output[c] = (sum over t ascending, then f ascending, of y(t, f, c)) / (time * frequency)
//
// Sums start from +0; the division is IEEE's.
using Mean = void(View<const float> input, bool relu, const float* scale, const float* bias,
                  float* output) noexcept;

}  // namespace bittern::kernels
