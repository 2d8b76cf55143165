// The window that convolutions and pools slide over their input.
#pragma once

#include <algorithm>

namespace bittern::kernels {

inline constexpr int kMaxKernel = 31;

// Output (t, f) looks at input rows t * stride_time - pad_time + [0, kernel_time), columns alike. `pad_*` is
// the padding before (top, left); what lies after follows from the shapes. Kernels are at most kMaxKernel a
// side.
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

inline Taps clip_rows(const Window& w, int t, int input_time) {
  return clip_taps(t, w.stride_time, w.pad_time, w.kernel_time, input_time);
}

inline Taps clip_columns(const Window& w, int f, int input_frequency) {
  return clip_taps(f, w.stride_frequency, w.pad_frequency, w.kernel_frequency, input_frequency);
}

// Outputs [begin, end) along one axis whose windows lie inside the input on both sides.
struct Whole {
  int begin = 0;
  int end = 0;
  bool contains(int output) const { return output >= begin && output < end; }
};

inline Whole whole_outputs(int stride, int pad, int kernel, int input, int outputs) {
  const auto inside = [&](int o) { return clip_taps(o, stride, pad, kernel, input).count() == kernel; };
  Whole whole;
  while (whole.begin < outputs && !inside(whole.begin)) ++whole.begin;
  whole.end = whole.begin;
  while (whole.end < outputs && inside(whole.end)) ++whole.end;
  return whole;
}

inline Whole whole_rows(const Window& w, int input_time, int output_time) {
  return whole_outputs(w.stride_time, w.pad_time, w.kernel_time, input_time, output_time);
}

inline Whole whole_columns(const Window& w, int input_frequency, int output_frequency) {
  return whole_outputs(w.stride_frequency, w.pad_frequency, w.kernel_frequency, input_frequency,
                       output_frequency);
}

}  // namespace bittern::kernels
