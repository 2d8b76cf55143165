// Convolution in int8: what little of a network is not binary, made exact and fast.
#pragma once

#include <cstdint>

#include "kernels/epilogue.h"
#include "kernels/view.h"
#include "kernels/window.h"

namespace bittern::kernels {

struct Int8Conv2dShape {
  Window window;
  int in_channels = 0;
  int out_channels = 0;   // a multiple of 16
  float input_scale = 1;  // levels per unit of the input
  int input_zero = 0;     // the level of 0, from 0 to 255
};

// For output rows [first_row, last_row):
//
//   level(x) = round(x * input_scale) to even, at least -input_zero (NaN too), at most 255 - input_zero
//   sum(t, f, o) = over taps (i, j) inside the input and all c: level(input(..)) * kernel[o][i][j][c]
//   output(t, f, o) = epilogue(float(sum))
//
// Integers, so that any order gives the same sum; core/int8_kernel.h has the layout of `kernel`, 64-byte
// aligned, and the limits on shapes.
using Conv2dInt8 = void(const Int8Conv2dShape& shape, View<const float> input, const std::int8_t* kernel,
                        const Epilogue& epilogue, View<float> output, int first_row, int last_row) noexcept;

}  // namespace bittern::kernels
