// Means as running sums, so that rows may come in pieces. Begin with sums of 0; add rows in ascending order;
// divide.
#pragma once

#include <cstddef>

#include "kernels/view.h"

namespace bittern::kernels {

// accumulate_time:   sums[f * channels + c] += input(t, f, c) for t in [first_row, last_row) ascending
// accumulate_global: sums[c] += input(t, f, c) for t ascending, then f ascending
// Any cut into row ranges gives the bits of one call over all rows.
using Accumulate = void(View<const float> input, float* sums, int first_row, int last_row) noexcept;

// values[i] = values[i] / divisor for i < count: IEEE division. The divisor is time for accumulate_time, time
// * frequency for accumulate_global.
using Divide = void(float* values, std::size_t count, float divisor) noexcept;

}  // namespace bittern::kernels
