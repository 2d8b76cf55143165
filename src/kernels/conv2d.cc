// Lanes over output channels, a tile of pixels by vectors in registers:
//
//                     weights   [o .. ][   ..  ]      loaded once per step (tap, input channel)
//      pixel 0  x broadcast  -> [sum   ][sum    ]     sum = sum + x * w
//      pixel 1  x broadcast  -> [sum   ][sum    ]
//      ...                                            6 pixels (8 with 32 registers) by 2 vectors, or 8 (16)
//                                                     by 1
//
// Every sum takes its terms in the order of conv2d.h, all of them in one loop over a table of where they lie:
// loops over rows, columns and channels end after a few rounds, and each end is mispredicted. Rows of outputs
// stand outermost. A 1 x 1 convolution of maps without gaps takes them for one row, outputs outermost, so
// that weights are read once. Depthwise: lanes over channels, four pixels at a time.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include <algorithm>
#include <bit>
#include <cstring>

#include "hwy/cache_control.h"
#include "kernels/conv2d_lines-inl.h"
#include "kernels/lanes-inl.h"
#include "kernels/row_taps.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr bool kManyRegisters = true;  // 32
#else
constexpr bool kManyRegisters = false;  // 16
#endif

// Pixels in a tile of full vectors, and in a smaller one for what is left: rows' lengths are mostly multiples
// of 8, and the smallest maps have 6 pixels. Parts of a vector, which networks hardly have, come by the
// pixel: each tile is code.
template <class D>
constexpr bool kFull = lanes(D()) == lanes(FullTag());
template <int kVectors>
constexpr int kTile = kManyRegisters  ? 16 / kVectors
                      : kVectors == 1 ? 8
                                      : 6;
template <int kVectors>
constexpr int kSmallTile = kVectors == 1    ? kTile<1> / 2
                           : kManyRegisters ? 6
                                            : 4;

// A row with fewer pixels than this waits for its weights; one with more hardly has a rest.
constexpr int kManyPixels = 32;

// kVectors vectors of outputs from `channel` on, which read the inputs from `first_input` on. kPaired: the
// vector's halves are two groups of outputs, and so are the inputs, in turn (Lines).
template <int kVectors, class D, bool kPaired = false>
struct Outputs {
  D d;
  int channel;
  int first_input;
};

// The halves of a vector in turn, lane by lane, and the other way round.
template <class D>
struct Turn {
  alignas(64) static constexpr std::int32_t kInTurn[16] = {0, 8,  1, 9,  2, 10, 3, 11,
                                                           4, 12, 5, 13, 6, 14, 7, 15};
  alignas(64) static constexpr std::int32_t kApart[16] = {0, 2, 4, 6, 8, 10, 12, 14,
                                                          1, 3, 5, 7, 9, 11, 13, 15};
  template <class V>
  static HWY_INLINE V in_turn(V v) {
    return hn::TableLookupLanes(v, hn::SetTableIndices(D(), kInTurn));
  }
  template <class V>
  static HWY_INLINE V apart(V v) {
    return hn::TableLookupLanes(v, hn::SetTableIndices(D(), kApart));
  }
};

// Where a term's inputs lie for pixels that are `step` floats apart, `shift` floats from the term's pointer.
// Every fourth pixel has a register and the others an offset: there are fewer registers than pixels.
template <int kPixels>
class Inputs {
 public:
  HWY_INLINE Inputs(std::ptrdiff_t shift, std::ptrdiff_t step) : step_(step), step3_(3 * step) {
    for (int q = 0; q < kQuads; ++q) shifts_[q] = shift + std::ptrdiff_t{4} * q * step;
    opaque(step3_);
    for (std::ptrdiff_t& quad : shifts_) opaque(quad);
  }
  HWY_INLINE const float* at(const float* term, int p) const {
    const float* const quad = term + shifts_[p / 4];
    return p % 4 == 0 ? quad : p % 4 == 1 ? quad + step_ : p % 4 == 2 ? quad + 2 * step_ : quad + step3_;
  }

 private:
  static constexpr int kQuads = (kPixels + 3) / 4;

  // Keeps the compiler from working `value` out anew at each use.
  static HWY_INLINE void opaque(std::ptrdiff_t& value) { asm("" : "+r"(value)); }

  std::ptrdiff_t shifts_[kQuads];
  std::ptrdiff_t step_;
  std::ptrdiff_t step3_;
};

// The sums of kPixels pixels.
template <int kPixels, int kVectors, class D, bool kPaired = false>
class Tile {
  using V = hn::Vec<D>;

 public:
  HWY_INLINE Tile() {
    for (auto& pixel : sums_) {
      for (V& sum : pixel) sum = hn::Zero(D());
    }
  }

  // Adds `count` terms, whose weights are `outputs` apart, and asks for weights that lie `ahead`.
  HWY_INLINE void add(const float* const* terms, int count, const Inputs<kPixels>& inputs,
                      const float* weights, std::ptrdiff_t outputs, std::ptrdiff_t ahead) {
    const D d;
    for (const float* const* const end = terms + count; terms != end; ++terms) {
      for (int line = 0; line < kFetched; ++line)
        hwy::Prefetch(weights + ahead + std::ptrdiff_t{line} * kLineFloats);
      V w[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        w[v] = hn::LoadU(d, weights + v * lanes(d));
        if constexpr (kPaired) w[v] = Turn<D>::in_turn(w[v]);
      }
      for (int p = 0; p < kPixels; ++p) {
        const V in = input(inputs.at(*terms, p));
        for (int v = 0; v < kVectors; ++v) sums_[p][v] = hn::Add(sums_[p][v], hn::Mul(in, w[v]));
      }
      weights += outputs;
    }
  }

  // Once all terms are there.
  HWY_INLINE V (&sums())[kPixels][kVectors] {
    if constexpr (kPaired) {
      for (auto& pixel : sums_) {
        for (V& sum : pixel) sum = Turn<D>::apart(sum);
      }
    }
    return sums_;
  }

 private:
  static constexpr int kLineFloats = 16;  // of a cache line
  static constexpr int kFetched = kPaired ? 0 : (kVectors * lanes(D()) + kLineFloats - 1) / kLineFloats;

  static HWY_INLINE V input(const float* x) {
    if constexpr (kPaired) {
      const hn::Repartition<double, D> d64;
      double both;
      std::memcpy(&both, x, sizeof(both));
      return hn::BitCast(D(), hn::Set(d64, both));
    } else {
      return hn::Set(D(), *x);
    }
  }

  V sums_[kPixels][kVectors];
};

// Pixels f .. f + kPixels - 1 of row t, which all have the taps of the first.
template <int kPixels, int kVectors, class D, bool kPaired>
HWY_INLINE void convolve_pixels(const Problem& p, Lines& lines, const Outputs<kVectors, D, kPaired>& o, int t,
                                int f) {
  const Window& window = p.shape.window;
  const int depth = p.depth();
  const std::ptrdiff_t outputs = p.shape.out_channels;
  const std::ptrdiff_t stride = lines.pixel_stride();
  const Taps columns = lines.columns(f);
  const Inputs<kPixels> places(lines.offset(f) + o.first_input, window.stride_frequency * stride);
  // Asks for the weights of the outputs that come next.
  const std::ptrdiff_t ahead = p.output.frequency < kManyPixels ? kVectors * lanes(D()) : 0;
  Tile<kPixels, kVectors, D, kPaired> tile;
  const bool all = lines.in_one() && columns.count() == window.kernel_frequency;
  const int rows = all ? lines.taps.count() : 1;
  const int width = all ? columns.count() : 1;
  const int inputs = all ? depth : std::min(depth, Lines::kTerms);
  for (int i = lines.taps.begin; i < lines.taps.end; i += rows) {
    for (int j = columns.begin; j < columns.end; j += width) {
      for (int c = 0; c < depth; c += inputs) {
        const int count = std::min(inputs, depth - c);
        const std::ptrdiff_t term = std::ptrdiff_t{i * window.kernel_frequency + j} * depth + c;
        tile.add(all ? lines.all_terms() : lines.terms(i, j, c, count), rows * width * count, places,
                 p.kernel + term * outputs + o.channel, outputs, ahead);
      }
    }
  }
  p.store(D(), t, f, o.channel, tile.sums());
}

// Row t. Pixels whose windows lie inside the lines are neighbours.
template <int kVectors, class D, bool kPaired>
HWY_NOINLINE void convolve_row(const Problem& p, Lines& lines, const Outputs<kVectors, D, kPaired>& o,
                               int t) {
  const auto [whole, end] = lines.whole();
  int f = 0;
  for (; f < whole; ++f) convolve_pixels<1>(p, lines, o, t, f);
  if constexpr (kFull<D>) {
    constexpr int kPixels = kTile<kVectors>;
    constexpr int kFewer = kSmallTile<kVectors>;
    const int left = end - f;
    if (left > kManyPixels || left % kPixels == 0 || left % kFewer != 0) {
      for (; f + kPixels <= end; f += kPixels) convolve_pixels<kPixels>(p, lines, o, t, f);
    }
    for (; f + kFewer <= end; f += kFewer) convolve_pixels<kFewer>(p, lines, o, t, f);
  }
  for (; f < p.output.frequency; ++f) convolve_pixels<1>(p, lines, o, t, f);
}

// Calls body(outputs) for outputs [channel, end) of one group: two vectors at a time, then one, then parts of
// one.
template <class Body>
HWY_INLINE void for_outputs(int channel, int end, int first_input, const Body& body) {
  const FullTag d;
  for (; channel + 2 * lanes(d) <= end; channel += 2 * lanes(d))
    body(Outputs<2, FullTag>{d, channel, first_input});
  for_channels(d, channel, end, [&](auto part, int c) HWY_ATTR {
    body(Outputs<1, decltype(part)>{part, c, first_input});
  });
}

template <class Body>
HWY_INLINE void for_groups(const Problem& p, const Body& body) {
  const int outputs = p.shape.out_channels / p.shape.groups;
  for (int g = 0; g < p.shape.groups; ++g) for_outputs(g * outputs, (g + 1) * outputs, g * p.depth(), body);
}

bool is_paired([[maybe_unused]] const Problem& p) {
  if constexpr (!kPairs) return false;
  const int depth = p.depth();
  return p.shape.out_channels == 8 * p.shape.groups && p.shape.groups % 2 == 0 && depth <= 8 &&
         std::has_single_bit(static_cast<unsigned>(depth)) && p.shape.in_channels % 16 == 0 && Lines::fits(p);
}

HWY_NOINLINE void convolve_rows(const Problem& p) {
  const bool paired = is_paired(p);
  Lines lines(p, paired);
  for (int t = p.first_row; t < p.last_row; ++t) {
    lines.prepare(t);
    if (!paired) {
      for_groups(p, [&](const auto& outputs) HWY_ATTR { convolve_row(p, lines, outputs, t); });
      continue;
    }
    if constexpr (kPairs) {
      for (int g = 0; g < p.shape.groups; g += 2)
        convolve_row(p, lines, Outputs<1, FullTag, true>{FullTag(), 8 * g, g * p.depth()}, t);
    }
  }
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
  p.store(d, t, f, c, sums);
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

// Rows that follow each other without gaps, rings apart.
template <class T>
bool is_gapless(const View<T>& view, int frequency) {
  return view.ring == 0 && view.frequency == frequency && view.row_stride == frequency * view.pixel_stride;
}

// A 1 x 1 kernel that reads all pixels as they come.
bool is_one_row(const Problem& p) {
  const Window& w = p.shape.window;
  const int frequency = p.output.frequency;
  return w.taps() == 1 && w.stride_time == 1 && w.stride_frequency == 1 && w.pad_time == 0 &&
         w.pad_frequency == 0 && p.last_row <= p.input.time && is_gapless(p.input, frequency) &&
         is_gapless(p.output, frequency) &&
         (!p.epilogue.residual || is_gapless(p.epilogue.residual, frequency));
}

template <class T>
View<T> as_one_row(View<T> view, int first_row, int last_row) {
  view.data = view.row(first_row);
  view.time = 1;
  view.frequency *= last_row - first_row;
  return view;
}

void conv2d(const Conv2dShape& shape, View<const float> input, const float* kernel, const Epilogue& epilogue,
            View<float> output, int first_row, int last_row) noexcept {
  if (first_row >= last_row) return;
  const Problem p{shape, input, kernel, epilogue, output, first_row, last_row};
  if (shape.groups == shape.in_channels && shape.groups == shape.out_channels) {
    convolve_depthwise(p);
  } else if (is_one_row(p)) {
    Epilogue flat = epilogue;
    if (flat.residual) flat.residual = as_one_row(flat.residual, first_row, last_row);
    const auto from = as_one_row(input, first_row, last_row);
    const auto to = as_one_row(output, first_row, last_row);
    convolve_rows({shape, from, kernel, flat, to, 0, 1});
  } else {
    convolve_rows(p);
  }
  if (!epilogue.signs) return;
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < output.frequency; ++f) {
      store_signs(epilogue, output.pixel(t, f), 0, shape.out_channels, epilogue.signs.pixel(t, f));
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
