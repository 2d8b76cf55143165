// Element by element, for rows [first_row, last_row). Inputs and output have the same shape unless said
// otherwise; the output may be the very same view as an input.
#pragma once

#include "kernels/view.h"

namespace bittern::kernels {

// output = input > 0 ? input : 0
using Relu = void(View<const float> input, View<float> output, int first_row, int last_row) noexcept;

// output(t, f, c) = input(t, f, c) > 0 ? input(t, f, c) : input(t, f, c) * slope[c]
using Prelu = void(View<const float> input, const float* slope, View<float> output, int first_row,
                   int last_row) noexcept;

// output(t, f, c) = input(t, f, c) * scale[c] + bias[c], product and sum each rounded to float
using Affine = void(View<const float> input, const float* scale, const float* bias, View<float> output,
                    int first_row, int last_row) noexcept;

// output = a + b. Where b has fewer channels than a, it is added to a's last ones, and the others are copied.
using Add = void(View<const float> a, View<const float> b, View<float> output, int first_row,
                 int last_row) noexcept;

// output = input. The views must not overlap.
using Copy = void(View<const float> input, View<float> output, int first_row, int last_row) noexcept;

}  // namespace bittern::kernels
