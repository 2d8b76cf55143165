// Lanes over channels: each sum takes its terms one pixel at a time, whatever the vector width, and stays in
// its register until it is divided.
//
//      mean_time                           mean_global
//      f:    0     1     2                       0     1     2
//      t 0  [CCCC][    ][    ]             t 0  [CCCC][CCCC][CCCC]
//      t 1  [CCCC][    ][    ]             t 1  [CCCC][CCCC][CCCC]
//             |                                         |
//            output[0, channels)                       output[0, channels)
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/mean.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

struct Terms {
  bool relu;
  const float* scale;
  const float* bias;
};

// kVectors vectors of channels from c on, of the mean over `columns` pixels of each row from `first` on.
template <int kVectors, class D>
HWY_INLINE void mean_of(D d, View<const float> input, int first, int columns, int c, const Terms& terms,
                        float* output) {
  constexpr std::ptrdiff_t kLanes = lanes(D());
  using V = hn::Vec<D>;
  V sum[kVectors];
  V scale[kVectors];
  V bias[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    sum[v] = hn::Zero(d);
    scale[v] = terms.scale == nullptr ? hn::Zero(d) : hn::LoadU(d, terms.scale + c + v * kLanes);
    bias[v] = terms.scale == nullptr ? hn::Zero(d) : hn::LoadU(d, terms.bias + c + v * kLanes);
  }
  for (int t = 0; t < input.time; ++t) {
    const float* pixel = input.pixel(t, first) + c;
    for (int f = 0; f < columns; ++f, pixel += input.pixel_stride) {
      V y[kVectors];
      for (int v = 0; v < kVectors; ++v) y[v] = hn::LoadU(d, pixel + v * kLanes);
      if (terms.relu) {
        for (V& value : y) value = relu_of(d, value);
      }
      if (terms.scale != nullptr) {
        for (int v = 0; v < kVectors; ++v) y[v] = hn::Add(hn::Mul(y[v], scale[v]), bias[v]);
      }
      for (int v = 0; v < kVectors; ++v) sum[v] = hn::Add(sum[v], y[v]);
    }
  }
  const auto divisor = hn::Set(d, static_cast<float>(input.time * columns));
  for (int v = 0; v < kVectors; ++v) hn::StoreU(hn::Div(sum[v], divisor), d, output + c + v * kLanes);
}

void mean_columns(View<const float> input, int columns, const Terms& terms, float* output) {
  constexpr int kVectors = 4;  // chains of additions that run side by side
  constexpr int kTile = kVectors * lanes(FullTag());
  for (int first = 0; first < input.frequency; first += columns, output += input.channels) {
    int c = 0;
    for (; c + kTile <= input.channels; c += kTile) {
      mean_of<kVectors>(FullTag(), input, first, columns, c, terms, output);
    }
    for_channels(FullTag(), c, input.channels,
                 [&](auto d, int at) HWY_ATTR { mean_of<1>(d, input, first, columns, at, terms, output); });
  }
}

void mean_time(View<const float> input, bool relu, const float* scale, const float* bias,
               float* output) noexcept {
  mean_columns(input, 1, {relu, scale, bias}, output);
}

void mean_global(View<const float> input, bool relu, const float* scale, const float* bias,
                 float* output) noexcept {
  mean_columns(input, input.frequency, {relu, scale, bias}, output);
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(mean_time, Mean)
BITTERN_EXPORT_KERNEL(mean_global, Mean)
}  // namespace bittern::kernels
#endif
