// Lanes over channels; each output's window is walked rows first, so the order of sums is the same for every
// vector width.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pool.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

constexpr int kMaxKernel = 31;

// For each output and each vector of channels: start from the first tap inside the input, combine(d, m, x)
// over the others, store finish(d, m, count).
template <class Combine, class Finish>
HWY_INLINE void pool_rows(const Window& window, View<const float> input, View<float> output, int first_row,
                          int last_row, const Combine& combine, const Finish& finish) {
  const std::ptrdiff_t stride = input.pixel_stride;
  for (int t = first_row; t < last_row; ++t) {
    const Taps rows = clip_taps(t, window.stride_time, window.pad_time, window.kernel_time, input.time);
    const float* row_of[kMaxKernel];
    for (int i = rows.begin; i < rows.end; ++i) row_of[i] = input.row(rows.origin + i);
    for (int f = 0; f < output.frequency; ++f) {
      const Taps columns = clip_taps(f, window.stride_frequency, window.pad_frequency,
                                     window.kernel_frequency, input.frequency);
      const std::ptrdiff_t begin = (columns.origin + columns.begin) * stride;
      const std::ptrdiff_t end = (columns.origin + columns.end) * stride;
      float* to = output.pixel(t, f);
      for_channels(FullTag(), 0, output.channels, [&](auto d, int c) HWY_ATTR {
        auto m = hn::LoadU(d, row_of[rows.begin] + begin + c);
        for (int i = rows.begin; i < rows.end; ++i) {
          const float* row = row_of[i] + c;
          for (std::ptrdiff_t at = i == rows.begin ? begin + stride : begin; at < end; at += stride) {
            m = combine(d, m, hn::LoadU(d, row + at));
          }
        }
        hn::StoreU(finish(d, m, rows.count() * columns.count()), d, to + c);
      });
    }
  }
}

void max_pool(const Window& window, View<const float> input, View<float> output, int first_row,
              int last_row) noexcept {
  pool_rows(
      window, input, output, first_row, last_row,
      [](auto d, auto m, auto x) HWY_ATTR { return larger_of(d, m, x); },
      [](auto, auto m, int) HWY_ATTR { return m; });
}

void avg_pool(const Window& window, View<const float> input, View<float> output, int first_row,
              int last_row) noexcept {
  pool_rows(
      window, input, output, first_row, last_row, [](auto, auto m, auto x) HWY_ATTR { return hn::Add(m, x); },
      [](auto d, auto m, int count) HWY_ATTR { return hn::Div(m, hn::Set(d, static_cast<float>(count))); });
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(max_pool, Pool)
BITTERN_EXPORT_KERNEL(avg_pool, Pool)
}  // namespace bittern::kernels
#endif
