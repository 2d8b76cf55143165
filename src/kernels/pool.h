// Pools over a window.
#pragma once

#include "kernels/view.h"
#include "kernels/window.h"

namespace bittern::kernels {

// For output rows [first_row, last_row), over the taps inside the input, rows first:
//   max_pool: m = the first; then m = m < x ? x : m for each next x
//   relu_max_pool: the same of max(x, 0)
//   avg_pool: the sum in that order, divided by the number of those taps
// Every output must have at least one tap inside the input. input and output have equally many channels.
using Pool = void(const Window& window, View<const float> input, View<float> output, int first_row,
                  int last_row) noexcept;

}  // namespace bittern::kernels
