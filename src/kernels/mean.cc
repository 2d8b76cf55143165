// Lanes over channels: each sum takes its terms one row at a time, whatever the vector width.
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

HWY_INLINE void add_pixel(const float* pixel, int channels, float* sums) {
  for_channels(FullTag(), 0, channels, [=](auto d, int c) HWY_ATTR {
    hn::StoreU(hn::Add(hn::LoadU(d, sums + c), hn::LoadU(d, pixel + c)), d, sums + c);
  });
}

void accumulate_time(View<const float> input, float* sums, int first_row, int last_row) noexcept {
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < input.frequency; ++f) {
      add_pixel(input.pixel(t, f), input.channels, sums + std::ptrdiff_t{f} * input.channels);
    }
  }
}

void accumulate_global(View<const float> input, float* sums, int first_row, int last_row) noexcept {
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < input.frequency; ++f) add_pixel(input.pixel(t, f), input.channels, sums);
  }
}

void divide(float* values, std::size_t count, float divisor) noexcept {
  const FullTag d;
  const auto by = hn::Set(d, divisor);
  const std::size_t whole = count - count % hn::MaxLanes(d);
  for (std::size_t i = 0; i < whole; i += hn::MaxLanes(d)) {
    hn::StoreU(hn::Div(hn::LoadU(d, values + i), by), d, values + i);
  }
  for (std::size_t i = whole; i < count; ++i) values[i] /= divisor;
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(accumulate_time, Accumulate)
BITTERN_EXPORT_KERNEL(accumulate_global, Accumulate)
BITTERN_EXPORT_KERNEL(divide, Divide)
}  // namespace bittern::kernels
#endif
