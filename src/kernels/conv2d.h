// Float convolution, grouped and depthwise ones included.
#pragma once

#include "kernels/epilogue.h"
#include "kernels/view.h"
#include "kernels/window.h"

namespace bittern::kernels {

struct Conv2dShape {
  Window window;
  int in_channels = 0;
  int out_channels = 0;
  int groups = 1;  // divides both
};

// For output rows [first_row, last_row), with G = in_channels / groups and g = the group of output o:
//
//   sum(t, f, o) = over taps (i, j) inside the input, rows first, then c < G ascending:
//                  input(t * stride_time - pad_time + i, f * stride_frequency - pad_frequency + j, g * G + c)
//                  * kernel[i][j][c][o]
//   output(t, f, o) = epilogue(sum)
//
// starting from +0, each product and each sum rounded to float in this order; weights are finite. kernel:
// [kernel_time, kernel_frequency, G, out_channels] (HWIO), 4-byte aligned.
using Conv2d = void(const Conv2dShape& shape, View<const float> input, const float* kernel,
                    const Epilogue& epilogue, View<float> output, int first_row, int last_row) noexcept;

}  // namespace bittern::kernels
