// How an int8 kernel of a convolution lies in memory: [output block][row][quad][lane][4], 16 lanes a block.
//
//      block 0                                               block 1
//      row 0                             row 1 ...           row 0 ...
//      quad 0               quad 1       quad 0              quad 0
//      [o0: v0 v1 v2 v3]    [o0: v4 ..]  ...                 [o16: v0 v1 v2 v3]
//      [o1: v0 v1 v2 v3]    [o1: v4 ..]                      ...
//      ...
//      [o15: ..       ]
//
// A row of the kernel is [kernel_frequency][inputs] values, cut into quads: value v = column * inputs +
// input. Values past the last of a row are 0. The number of outputs is a multiple of 16.
#pragma once

#include <cstddef>
#include <cstdint>

namespace bittern {

inline constexpr int kInt8Lanes = 16;
inline constexpr int kQuad = 4;

// Limits, so that kernels keep what they need on the stack.
inline constexpr int kMaxInt8Outputs = 512;
inline constexpr int kMaxInt8Terms =
    512;  // of one sum: 512 * 255 * 128 <= 2^24, so that sums are exact as floats
inline constexpr int kMaxInt8Window = 8192;  // of int8_window_bytes()
inline constexpr int kMaxInt8Quads =
    kMaxInt8Terms / kQuad + 31;  // of all rows, which are at most 31 (kMaxKernel)

constexpr int quads_for(int values) { return (values + kQuad - 1) / kQuad; }

constexpr std::size_t int8_kernel_bytes(int outputs, int rows, int values) {
  return static_cast<std::size_t>(outputs) * static_cast<std::size_t>(rows) *
         static_cast<std::size_t>(quads_for(values)) * kQuad;
}

constexpr std::size_t int8_kernel_index(int output, int row, int value, int rows, int values) {
  const int block = output / kInt8Lanes, lane = output % kInt8Lanes;
  const std::size_t quad =
      static_cast<std::size_t>(block * rows + row) * static_cast<std::size_t>(quads_for(values)) +
      static_cast<std::size_t>(value / kQuad);
  return (quad * kInt8Lanes + static_cast<std::size_t>(lane)) * kQuad +
         static_cast<std::size_t>(value % kQuad);
}

// Packs a kernel [rows][values][outputs] (HWIO), int8_kernel_bytes() of them.
inline void pack_int8_kernel(const std::int8_t* kernel, int outputs, int rows, int values,
                             std::int8_t* packed) {
  for (std::size_t i = 0; i < int8_kernel_bytes(outputs, rows, values); ++i) packed[i] = 0;
  for (int row = 0; row < rows; ++row) {
    for (int value = 0; value < values; ++value) {
      for (int output = 0; output < outputs; ++output)
        packed[int8_kernel_index(output, row, value, rows, values)] = *kernel++;
    }
  }
}

// The input rows under one row of outputs and one more, padding included, and what the last quad of each
// reads past its end.
constexpr std::int64_t int8_window_bytes(int kernel_rows, std::int64_t columns, int inputs) {
  return (std::int64_t{kernel_rows} + 1) * (columns * inputs + kQuad - 1);
}

}  // namespace bittern
