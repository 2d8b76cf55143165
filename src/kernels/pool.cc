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
#include "kernels/row_taps.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// One vector of channels of kPixels neighbours from `to` on, which all have the taps `columns` of the first,
// whose channels lie at `from` of each row: start from the first tap inside the input, combine(d, m, x) over
// the others, store finish(d, m, count).
template <int kPixels, class D, class Combine, class Finish>
HWY_INLINE void pool_pixels(D d, const RowTaps<float>& row, Taps columns, std::ptrdiff_t from,
                            std::ptrdiff_t stride, std::ptrdiff_t step, float* to, std::ptrdiff_t to_step,
                            const Combine& combine, const Finish& finish) {
  hn::Vec<D> m[kPixels];
  for (int k = 0; k < kPixels; ++k) m[k] = hn::LoadU(d, row.rows[row.taps.begin] + from + k * step);
  for (int i = row.taps.begin; i < row.taps.end; ++i) {
    const float* x = row.rows[i] + from;
    for (int j = i == row.taps.begin ? 1 : 0; j < columns.count(); ++j) {
      for (int k = 0; k < kPixels; ++k) m[k] = combine(d, m[k], hn::LoadU(d, x + j * stride + k * step));
    }
  }
  for (int k = 0; k < kPixels; ++k) {
    hn::StoreU(finish(d, m[k], row.taps.count() * columns.count()), d, to + k * to_step);
  }
}

template <class Combine, class Finish>
HWY_INLINE void pool_rows(const Window& window, View<const float> input, View<float> output, int first_row,
                          int last_row, const Combine& combine, const Finish& finish) {
  constexpr int kPixels = 4;
  const std::ptrdiff_t stride = input.pixel_stride;
  const std::ptrdiff_t step = window.stride_frequency * stride;
  const auto [whole, end] = whole_columns(window, input.frequency, output.frequency);
  for (int t = first_row; t < last_row; ++t) {
    const RowTaps<float> row(window, input, t);
    for (int f = 0; f < output.frequency;) {
      const bool tile = f >= whole && f + kPixels <= end;
      const int count = tile ? kPixels : 1;
      const Taps columns = clip_columns(window, f, input.frequency);
      const std::ptrdiff_t from = (columns.origin + columns.begin) * stride;
      float* const to = output.pixel(t, f);
      for_channels(FullTag(), 0, output.channels, [&](auto d, int c) HWY_ATTR {
        if constexpr (kInTiles<decltype(d)>) {
          if (tile) {
            pool_pixels<kPixels>(d, row, columns, from + c, stride, step, to + c, output.pixel_stride,
                                 combine, finish);
            return;
          }
        }
        for (int k = 0; k < count; ++k) {
          pool_pixels<1>(d, row, columns, from + k * step + c, stride, step, to + k * output.pixel_stride + c,
                         output.pixel_stride, combine, finish);
        }
      });
      f += count;
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
