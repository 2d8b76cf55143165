// Lanes over output channels, a tile of pixels by vectors in registers:
//
//                     weights   [o .. ][   ..  ]      loaded once per step (tap, input channel)
//      pixel 0  x broadcast  -> [sum   ][sum    ]     sum = sum + x * w
//      pixel 1  x broadcast  -> [sum   ][sum    ]
//      ...                                            4 pixels (6 with 32 registers) by 2 vectors,
//                                                     or twice as many by 1
//
// Outputs of a tile stand outermost, so that its weights stay near while all pixels pass. Every sum takes its
// terms in the order of conv2d.h. Pixels whose window leaves the input run alone; those of a 1 x 1
// convolution form tiles across rows. Depthwise: lanes over channels, one pixel at a time.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include <algorithm>

#include "hwy/cache_control.h"
#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"
#include "kernels/row_taps.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr int kTileSums = 12;  // 32 registers
#else
constexpr int kTileSums = 8;  // 16
#endif

// Pixels in a tile. Full vectors that stand alone leave registers for twice as many.
template <int kVectors, class D>
constexpr int tile_pixels() {
  if (!kInTiles<D>) return 1;
  return kTileSums / (lanes(D()) == lanes(FullTag()) ? kVectors : 2);
}

struct Problem {
  const Conv2dShape& shape;
  const View<const float>& input;
  const float* kernel;
  const Epilogue& epilogue;
  const View<float>& output;
  int first_row;
  int last_row;

  int depth() const { return shape.in_channels / shape.groups; }
  Taps columns(int f) const { return clip_columns(shape.window, f, input.frequency); }
  // Pixels at (t[k], f[k]).
  template <int kPixels, int kVectors, class D, class V>
  HWY_INLINE void store(D d, const int (&t)[kPixels], const int (&f)[kPixels], int channel,
                        V (&sums)[kPixels][kVectors]) const {
    const float* residual[kPixels] = {};
    float* pixels[kPixels];
    for (int k = 0; k < kPixels; ++k) {
      if (epilogue.residual) residual[k] = epilogue.residual.pixel(t[k], f[k]);
      pixels[k] = output.pixel(t[k], f[k]);
    }
    finish(Parameters(epilogue), d, channel, residual, sums, pixels);
  }
};

// kVectors vectors of outputs from `channel` on, which read the inputs from `first_input` on.
template <int kVectors, class D>
struct Outputs {
  static constexpr int kLanes = lanes(D());
  D d;
  int channel;
  int first_input;
};

// The sums of kPixels pixels.
template <int kPixels, int kVectors, class D>
class Tile {
  using V = hn::Vec<D>;

 public:
  HWY_INLINE Tile() {
    for (auto& pixel : sums_) {
      for (V& sum : pixel) sum = hn::Zero(D());
    }
  }

  // Adds `count` terms: pixel p's inputs lie at x + p * pixel_step, weights `outputs` apart.
  HWY_INLINE void add(const float* x, std::ptrdiff_t pixel_step, const float* weights, std::ptrdiff_t outputs,
                      int count) {
    const float* pixels[kPixels];
    for (int p = 0; p < kPixels; ++p) pixels[p] = x + p * pixel_step;
    add<false>(pixels, weights, outputs, count);
  }

  // kFetch: asks for the weights of the outputs that come next.
  template <bool kFetch>
  HWY_INLINE void add(const float* const (&pixels)[kPixels], const float* weights, std::ptrdiff_t outputs,
                      int count) {
    const D d;
    for (int c = 0; c < count; ++c) {
      if constexpr (kFetch) hwy::Prefetch(weights + kVectors * lanes(D()));
      V w[kVectors];
      for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weights + v * lanes(D()));
      for (int p = 0; p < kPixels; ++p) {
        const V x = hn::Set(d, pixels[p][c]);
        for (int v = 0; v < kVectors; ++v) sums_[p][v] = hn::Add(sums_[p][v], hn::Mul(x, w[v]));
      }
      weights += outputs;
    }
  }

  HWY_INLINE V (&sums())[kPixels][kVectors] { return sums_; }

 private:
  V sums_[kPixels][kVectors];
};

// Pixels f .. f + kPixels - 1 of row t, which all have the taps `columns` of the first.
template <int kPixels, int kVectors, class D>
HWY_INLINE void convolve_pixels(const Problem& p, const RowTaps<float>& row, const Outputs<kVectors, D>& o,
                                int t, int f, Taps columns) {
  const Window& window = p.shape.window;
  const int depth = p.depth();
  const std::ptrdiff_t outputs = p.shape.out_channels;
  const std::ptrdiff_t stride = p.input.pixel_stride;
  // Where pixels follow each other without gaps, a row's taps are one run of inputs.
  const int step = stride == depth && columns.count() > 0 ? columns.count() : 1;
  Tile<kPixels, kVectors, D> tile;
  for (int i = row.taps.begin; i < row.taps.end; ++i) {
    for (int j = columns.begin; j < columns.end; j += step) {
      tile.add(row.rows[i] + (columns.origin + j) * stride + o.first_input, window.stride_frequency * stride,
               p.kernel + std::ptrdiff_t{i * window.kernel_frequency + j} * depth * outputs + o.channel,
               outputs, step * depth);
    }
  }
  int rows[kPixels];
  int places[kPixels];
  for (int k = 0; k < kPixels; ++k) {
    rows[k] = t;
    places[k] = f + k;
  }
  p.store(D(), rows, places, o.channel, tile.sums());
}

// All pixels, row by row. Those whose windows lie inside the input from left to right are neighbours.
template <int kVectors, class D>
HWY_NOINLINE void convolve_rows(const Problem& p, const Outputs<kVectors, D>& o) {
  constexpr int kTile = tile_pixels<kVectors, D>();
  const auto [whole, end] = whole_columns(p.shape.window, p.input.frequency, p.output.frequency);
  for (int t = p.first_row; t < p.last_row; ++t) {
    const RowTaps<float> row(p.shape.window, p.input, t);
    int f = 0;
    for (; f < whole; ++f) convolve_pixels<1>(p, row, o, t, f, p.columns(f));
    if constexpr (kTile > 1) {
      constexpr int kHalf = kTile / 2;
      for (; f + kTile <= end; f += kTile) convolve_pixels<kTile>(p, row, o, t, f, p.columns(f));
      for (; f + kHalf <= end; f += kHalf) convolve_pixels<kHalf>(p, row, o, t, f, p.columns(f));
    }
    for (; f < p.output.frequency; ++f) convolve_pixels<1>(p, row, o, t, f, p.columns(f));
  }
}

// A place among the output's pixels, counted across rows.
struct Cursor {
  int t;
  int f;
  HWY_INLINE void next(int frequency) {
    if (++f < frequency) return;
    f = 0;
    ++t;
  }
};

// The next kPixels pixels of a 1 x 1 convolution.
template <int kPixels, bool kFew, int kVectors, class D>
HWY_INLINE void convolve_points(const Problem& p, const Outputs<kVectors, D>& o, Cursor& cursor) {
  const Window& window = p.shape.window;
  const float* pixels[kPixels];
  int rows[kPixels];
  int places[kPixels];
  for (int k = 0; k < kPixels; ++k, cursor.next(p.output.frequency)) {
    rows[k] = cursor.t;
    places[k] = cursor.f;
    pixels[k] =
        p.input.pixel(cursor.t * window.stride_time, cursor.f * window.stride_frequency) + o.first_input;
  }
  Tile<kPixels, kVectors, D> tile;
  tile.template add<kFew>(pixels, p.kernel + o.channel, p.shape.out_channels, p.depth());
  p.store(D(), rows, places, o.channel, tile.sums());
}

template <int kVectors, class D>
HWY_NOINLINE void convolve_all_points(const Problem& p, const Outputs<kVectors, D>& o) {
  constexpr int kTile = tile_pixels<kVectors, D>();
  int left = (p.last_row - p.first_row) * p.output.frequency;
  Cursor cursor{p.first_row, 0};
  if constexpr (kTile > 1) {
    constexpr int kHalf = kTile / 2;
    // Of few pixels the first tile waits for the weights, which it fetches for the next outputs too.
    constexpr int kFewPixels = 16;
    if (left <= kFewPixels && left >= kTile) {
      convolve_points<kTile, true>(p, o, cursor);
      left -= kTile;
    }
    for (; left >= kTile; left -= kTile) convolve_points<kTile, false>(p, o, cursor);
    for (; left >= kHalf; left -= kHalf) convolve_points<kHalf, false>(p, o, cursor);
  }
  for (; left > 0; --left) convolve_points<1, false>(p, o, cursor);
}

// A 1 x 1 kernel that always stands inside the input.
bool is_pointwise(const Problem& p) {
  const Window& w = p.shape.window;
  return w.taps() == 1 && w.pad_time == 0 && w.pad_frequency == 0 &&
         (p.last_row - 1) * w.stride_time < p.input.time &&
         (p.output.frequency - 1) * w.stride_frequency < p.input.frequency;
}

template <int kVectors, class D>
void convolve(const Problem& p, D d, int channel, int first_input) {
  const Outputs<kVectors, D> outputs{d, channel, first_input};
  if (is_pointwise(p)) {
    convolve_all_points(p, outputs);
  } else {
    convolve_rows(p, outputs);
  }
}

// Outputs [channel, end) of one group: two vectors at a time, then one, then parts of one.
void convolve_group(const Problem& p, int channel, int end, int first_input) {
  const FullTag d;
  for (; channel + 2 * lanes(d) <= end; channel += 2 * lanes(d)) convolve<2>(p, d, channel, first_input);
  for_channels(d, channel, end, [&](auto part, int c) HWY_ATTR { convolve<1>(p, part, c, first_input); });
}

// One vector of channels from `c` on, pixels f .. f + kPixels - 1 of row t, which all have the taps `columns`
// of the first.
template <int kPixels, class D>
HWY_INLINE void depthwise_pixels(const Problem& p, const RowTaps<float>& row, Taps columns, int t, int f, D d,
                                 int c) {
  const Window& window = p.shape.window;
  const std::ptrdiff_t channels = p.shape.out_channels;
  const std::ptrdiff_t stride = p.input.pixel_stride;
  const std::ptrdiff_t step = window.stride_frequency * stride;
  hn::Vec<D> sums[kPixels][1];
  for (auto& sum : sums) sum[0] = hn::Zero(d);
  for (int i = row.taps.begin; i < row.taps.end; ++i) {
    const float* x = row.rows[i] + (columns.origin + columns.begin) * stride + c;
    const float* weights =
        p.kernel + (std::ptrdiff_t{i} * window.kernel_frequency + columns.begin) * channels + c;
    for (int j = columns.begin; j < columns.end; ++j, x += stride, weights += channels) {
      const auto w = hn::LoadU(d, weights);
      for (int k = 0; k < kPixels; ++k) {
        sums[k][0] = hn::Add(sums[k][0], hn::Mul(hn::LoadU(d, x + k * step), w));
      }
    }
  }
  int rows[kPixels];
  int places[kPixels];
  for (int k = 0; k < kPixels; ++k) {
    rows[k] = t;
    places[k] = f + k;
  }
  p.store(d, rows, places, c, sums);
}

void convolve_depthwise(const Problem& p) {
  constexpr int kPixels = 4;
  const auto [whole, end] = whole_columns(p.shape.window, p.input.frequency, p.output.frequency);
  for (int t = p.first_row; t < p.last_row; ++t) {
    const RowTaps<float> row(p.shape.window, p.input, t);
    for (int f = 0; f < p.output.frequency;) {
      const bool tile = f >= whole && f + kPixels <= end;
      const int count = tile ? kPixels : 1;
      for_channels(FullTag(), 0, p.shape.out_channels, [&](auto d, int c) HWY_ATTR {
        if constexpr (kInTiles<decltype(d)>) {
          if (tile) return depthwise_pixels<kPixels>(p, row, p.columns(f), t, f, d, c);
        }
        for (int k = 0; k < count; ++k) depthwise_pixels<1>(p, row, p.columns(f + k), t, f + k, d, c);
      });
      f += count;
    }
  }
}

void conv2d(const Conv2dShape& shape, View<const float> input, const float* kernel, const Epilogue& epilogue,
            View<float> output, int first_row, int last_row) noexcept {
  if (first_row >= last_row) return;
  const Problem p{shape, input, kernel, epilogue, output, first_row, last_row};
  if (shape.groups == shape.in_channels && shape.groups == shape.out_channels) {
    convolve_depthwise(p);
  } else {
    const int outputs = shape.out_channels / shape.groups;
    for (int g = 0; g < shape.groups; ++g) convolve_group(p, g * outputs, (g + 1) * outputs, g * p.depth());
  }
  if (!epilogue.signs) return;
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < output.frequency; ++f) {
      store_signs(output.pixel(t, f), 0, shape.out_channels, epilogue.signs.pixel(t, f));
    }
  }
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(conv2d, Conv2d)
}  // namespace bittern::kernels
#endif
