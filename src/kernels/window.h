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

// Outputs [begin, end) of an axis whose windows lie wholly inside the input.
struct Whole {
  int begin = 0;
  int end = 0;
};

inline Whole whole_columns(const Window& w, int input, int output) {
  const auto inside = [&](int f) {
    const int origin = f * w.stride_frequency - w.pad_frequency;
    return origin >= 0 && origin + w.kernel_frequency <= input;
  };
  Whole whole;
  while (whole.begin < output && !inside(whole.begin)) ++whole.begin;
  whole.end = whole.begin;
  while (whole.end < output && inside(whole.end)) ++whole.end;
  return whole;
}

}  // namespace bittern::kernels
