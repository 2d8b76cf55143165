// Lanes over channels, or over frequency where there is one channel; each output's window is walked rows
// first, so the order of sums is the same for every vector width.
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
// whose channels lie at `from` of each row: start(d, x) with the first tap inside the input,
// combine(d, m, x) over the others, store finish(d, m, count).
template <int kPixels, class D, class Pooling>
HWY_INLINE void pool_pixels(D d, const RowTaps<float>& row, Taps columns, std::ptrdiff_t from,
                            std::ptrdiff_t stride, std::ptrdiff_t step, float* to, std::ptrdiff_t to_step,
                            const Pooling& pooling) {
  hn::Vec<D> m[kPixels];
  for (int k = 0; k < kPixels; ++k)
    m[k] = pooling.start(d, hn::LoadU(d, row.rows[row.taps.begin] + from + k * step));
  for (int i = row.taps.begin; i < row.taps.end; ++i) {
    const float* x = row.rows[i] + from;
    for (int j = i == row.taps.begin ? 1 : 0; j < columns.count(); ++j) {
      for (int k = 0; k < kPixels; ++k)
        m[k] = pooling.combine(d, m[k], hn::LoadU(d, x + j * stride + k * step));
    }
  }
  for (int k = 0; k < kPixels; ++k)
    hn::StoreU(pooling.finish(d, m[k], row.taps.count() * columns.count()), d, to + k * to_step);
}

// Lanes over frequency, for windows of two neighbours beside each other: columns [f, end) of one channel.
// Returns where whole vectors end.
template <class Pooling>
HWY_INLINE int pool_pairs(const RowTaps<float>& row, std::ptrdiff_t from, int f, int end, float* to,
                          const Pooling& pooling) {
  const FullTag d;
  for (; f + lanes(d) <= end; f += lanes(d), from += std::ptrdiff_t{2} * lanes(d), to += lanes(d)) {
    hn::Vec<FullTag> even, odd;
    hn::LoadInterleaved2(d, row.rows[row.taps.begin] + from, even, odd);
    auto m = pooling.combine(d, pooling.start(d, even), odd);
    for (int i = row.taps.begin + 1; i < row.taps.end; ++i) {
      hn::LoadInterleaved2(d, row.rows[i] + from, even, odd);
      m = pooling.combine(d, pooling.combine(d, m, even), odd);
    }
    hn::StoreU(pooling.finish(d, m, 2 * row.taps.count()), d, to);
  }
  return f;
}

bool has_pairs(const Window& window, const View<const float>& input, const View<float>& output) {
  return output.channels == 1 && input.pixel_stride == 1 && output.pixel_stride == 1 &&
         window.kernel_frequency == 2 && window.stride_frequency == 2;
}

template <class Pooling>
HWY_NOINLINE void pool_rows(const Window& window, View<const float> input, View<float> output, int first_row,
                            int last_row, const Pooling& pooling) {
  constexpr int kPixels = 4;
  const std::ptrdiff_t stride = input.pixel_stride;
  const std::ptrdiff_t step = window.stride_frequency * stride;
  const auto [whole, end] = whole_columns(window, input.frequency, output.frequency);
  const bool pairs = has_pairs(window, input, output);
  for (int t = first_row; t < last_row; ++t) {
    const RowTaps<float> row(window, input, t);
    for (int f = 0; f < output.frequency;) {
      const Taps columns = clip_columns(window, f, input.frequency);
      const std::ptrdiff_t from = (columns.origin + columns.begin) * stride;
      float* const to = output.pixel(t, f);
      if (pairs && f == whole && f < end) {
        const int next = pool_pairs(row, from, f, end, to, pooling);
        if (next > f) {
          f = next;
          continue;
        }
      }
      const bool tile = f >= whole && f + kPixels <= end;
      const int count = tile ? kPixels : 1;
      for_channels(FullTag(), 0, output.channels, [&](auto d, int c) HWY_ATTR {
        if constexpr (kInTiles<decltype(d)>) {
          if (tile) {
            pool_pixels<kPixels>(d, row, columns, from + c, stride, step, to + c, output.pixel_stride,
                                 pooling);
            return;
          }
        }
        for (int k = 0; k < count; ++k) {
          pool_pixels<1>(d, row, columns, from + k * step + c, stride, step, to + k * output.pixel_stride + c,
                         output.pixel_stride, pooling);
        }
      });
      f += count;
    }
  }
}

struct Largest {
  bool relu;
  template <class D, class V>
  HWY_INLINE V start(D d, V x) const {
    return relu ? relu_of(d, x) : x;
  }
  template <class D, class V>
  HWY_INLINE V combine(D d, V m, V x) const {
    return larger_of(d, m, x);
  }
  template <class D, class V>
  HWY_INLINE V finish(D, V m, int) const {
    return m;
  }
};

struct Average {
  template <class D, class V>
  HWY_INLINE V start(D, V x) const {
    return x;
  }
  template <class D, class V>
  HWY_INLINE V combine(D, V m, V x) const {
    return hn::Add(m, x);
  }
  template <class D, class V>
  HWY_INLINE V finish(D d, V m, int count) const {
    return hn::Div(m, hn::Set(d, static_cast<float>(count)));
  }
};

void max_pool(const Window& window, View<const float> input, View<float> output, int first_row,
              int last_row) noexcept {
  pool_rows(window, input, output, first_row, last_row, Largest{.relu = false});
}
// Windows of 2 x 2 inside the input, neighbours sharing their columns: a column's largest is found once. 0
// and what is above it are the same bits in any order.
HWY_NOINLINE void relu_max_of_neighbours(const Window& window, const View<const float>& input,
                                         const View<float>& output, int first_row, int last_row) {
  for (int t = first_row; t < last_row; ++t) {
    const RowTaps<float> row(window, input, t);
    const float* const above = row.rows[0];
    const float* const below = row.rows[1];
    for_channels(FullTag(), 0, output.channels, [&](auto d, int c) HWY_ATTR {
      const auto column = [&](std::ptrdiff_t at) HWY_ATTR {
        return larger_of(d, relu_of(d, hn::LoadU(d, above + at)), hn::LoadU(d, below + at));
      };
      std::ptrdiff_t at = c;
      auto left = column(at);
      float* to = output.row(t) + c;
      for (int f = 0; f < output.frequency; ++f, to += output.pixel_stride) {
        at += input.pixel_stride;
        const auto right = column(at);
        hn::StoreU(larger_of(d, left, right), d, to);
        left = right;
      }
    });
  }
}

void relu_max_pool(const Window& window, View<const float> input, View<float> output, int first_row,
                   int last_row) noexcept {
  const Whole columns = whole_columns(window, input.frequency, output.frequency);
  const bool neighbours = window.kernel_time == 2 && window.kernel_frequency == 2 &&
                          window.stride_frequency == 1 && columns.begin == 0 &&
                          columns.end == output.frequency &&
                          clip_rows(window, first_row, input.time).begin == 0 &&
                          clip_rows(window, last_row - 1, input.time).end == 2;
  if (neighbours) {
    relu_max_of_neighbours(window, input, output, first_row, last_row);
    return;
  }
  pool_rows(window, input, output, first_row, last_row, Largest{.relu = true});
}
void avg_pool(const Window& window, View<const float> input, View<float> output, int first_row,
              int last_row) noexcept {
  pool_rows(window, input, output, first_row, last_row, Average());
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(max_pool, Pool)
BITTERN_EXPORT_KERNEL(relu_max_pool, Pool)
BITTERN_EXPORT_KERNEL(avg_pool, Pool)
}  // namespace bittern::kernels
#endif
