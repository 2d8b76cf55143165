// Convolution of signs with signs: sums of +-1 products, counted as bits.
#pragma once

#include <cstdint>

#include "kernels/epilogue.h"
#include "kernels/view.h"
#include "kernels/window.h"

namespace bittern::kernels {

struct BinaryConv2dShape {
  Window window;
  int in_channels = 0;  // bits that count in each input pixel; words_for(in_channels) words
  int out_channels = 0;
  bool pad_with_one = false;  // outside the input: false = a real 0 (contributes nothing), true = +1
};

// For output rows [first_row, last_row), with a, w in {-1, +1} for bits 1, 0:
//
//   sum(t, f, o) = over taps (i, j) and c < in_channels:
//                  a(t * stride_time - pad_time + i, f * stride_frequency - pad_frequency + j, c) * w(i, j,
//                  c, o)
//   output(t, f, o) = epilogue(float(sum))
//
// input: bits [time, frequency, words]; bits past in_channels must be 0. kernel: packed_kernel_words() words
// in the layout [output block of 8][tap][word][lane] of core/bits.h, 64-byte aligned. tap_bits: its
// count_tap_bits(), read where pad_with_one only (may be null elsewhere): taps outside the input are then not
// computed. output: [.., .., out_channels]. |sum| <= 31 * 31 * 4096 < 2^24, so float(sum) is exact.
using BinaryConv2d = void(const BinaryConv2dShape& shape, View<const std::uint64_t> input,
                          const std::uint64_t* kernel, const std::int16_t* tap_bits, const Epilogue& epilogue,
                          View<float> output, int first_row, int last_row) noexcept;

}  // namespace bittern::kernels
