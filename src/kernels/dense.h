// Fully connected layers of the exits.
#pragma once

#include <cstdint>

namespace bittern::kernels {

// output[j] = scale[j] * S_j + bias[j], S_j = sum over i < inputs of input[i] * (+1 or -1 for bit 0 or 1),
// bit i of row j: kernel[j * words_for(inputs) + i / 64] >> (i % 64).
// Order of the sum: eight partial sums from +0, p[i % 8] += +-input[i], i ascending; then
//   S = ((p0 + p4) + (p2 + p6)) + ((p1 + p5) + (p3 + p7)).
using DenseBinary = void(const float* input, int inputs, const std::uint64_t* kernel, const float* scale,
                         const float* bias, int classes, float* output) noexcept;

// The same with int8 weights, each product rounded to float before it is added: S_j = sum over i < inputs of
// input[i] * kernel[j * inputs + i].
using DenseInt8 = void(const float* input, int inputs, const std::int8_t* kernel, const float* scale,
                       const float* bias, int classes, float* output) noexcept;

// output[j] = (sum over i ascending, from +0, of input[i] * kernel[i * classes + j]) + bias[j], each product
// and sum rounded to float. `bias` may be null.
using DenseFloat = void(const float* input, int inputs, const float* kernel, const float* bias, int classes,
                        float* output) noexcept;

}  // namespace bittern::kernels
