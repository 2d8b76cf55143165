// Floats to sign bits (core/bits.h).
#pragma once

#include <cstdint>

#include "kernels/view.h"

namespace bittern::kernels {

// For rows [first_row, last_row): bit c of output(t, f) = (input(t, f, c) < 0), or with an affine
// (scale and bias [channels], both or neither null)
//     bit c = (input(t, f, c) * scale[c] + bias[c]) < 0, product and sum each rounded to float,
// the sign that the float result of `affine` has. Bits past the last channel are 0.
// output: words_for(input.channels) words a pixel.
using PackSigns = void(View<const float> input, const float* scale, const float* bias,
                       View<std::uint64_t> output, int first_row, int last_row) noexcept;

}  // namespace bittern::kernels
