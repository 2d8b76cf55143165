// The window that convolutions and pools slide over their input.
#pragma once

#include <algorithm>

namespace bittern::kernels {

// Output (t, f) looks at input rows t * stride_time - pad_time + [0, kernel_time), columns alike. `pad_*` is
// the padding before (top, left); what lies after follows from the shapes. Kernels are at most 31 a side.
struct Window {
  int kernel_time = 1;
  int kernel_frequency = 1;
  int stride_time = 1;
  int stride_frequency = 1;
  int pad_time = 0;
  int pad_frequency = 0;

  int taps() const { return kernel_time * kernel_frequency; }
};

// Along one axis: taps [begin, end) lie inside the input, tap k at input position origin + k. Empty (begin ==
// end) where none does.
struct Taps {
  int origin = 0;
  int begin = 0;
  int end = 0;
  int count() const { return end - begin; }
};

inline Taps clip_taps(int output, int stride, int pad, int kernel, int input) {
  const int origin = output * stride - pad;
  const int begin = std::clamp(-origin, 0, kernel);
  return {origin, begin, std::clamp(input - origin, begin, kernel)};
}

}  // namespace bittern::kernels
