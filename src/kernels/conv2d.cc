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
// stand outermost. A 1 x 1 convolution of pixels without gaps: conv2d_pointwise-inl.h. A depthwise one:
// conv2d_depthwise-inl.h.
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

#include "kernels/conv2d_depthwise-inl.h"
#include "kernels/conv2d_lines-inl.h"
#include "kernels/conv2d_pointwise-inl.h"
#include "kernels/conv2d_tile-inl.h"
#include "kernels/lanes-inl.h"
#include "kernels/row_taps.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// A row with more pixels than this hardly has a rest.
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

  // Adds `count` terms, whose weights are `outputs` apart.
  HWY_INLINE void add(const float* const* terms, int count, const Inputs<kPixels>& inputs,
                      const float* weights, std::ptrdiff_t outputs) {
    const D d;
    for (const float* const* const end = terms + count; terms != end; ++terms) {
      V w[kVectors];
      for (int v = 0; v < kVectors; ++v) {
        w[v] = hn::LoadU(d, weights + v * lanes(d));
        if constexpr (kPaired) w[v] = Turn<D>::in_turn(w[v]);
      }
      for (int p = 0; p < kPixels; ++p) {
        const float* x = inputs.at(*terms, p);
        for (int v = 0; v < kVectors; ++v) sums_[p][v] = hn::Add(sums_[p][v], hn::Mul(input(x), w[v]));
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
  static HWY_INLINE V input(const float*& x) {
    if constexpr (kPaired) {
      const hn::Repartition<double, D> d64;
      double both;
      std::memcpy(&both, x, sizeof(both));
      return hn::BitCast(D(), hn::Set(d64, both));
    } else if constexpr (kVectors == 1) {
      return hn::Set(D(), *x);
    } else {
      return spread(D(), x);
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
                 p.kernel + term * outputs + o.channel, outputs);
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
  constexpr int kPixels = kTile<kVectors>;
  constexpr int kFewer = kSmallTile<kVectors>;
  const int all = end - whole;
  const bool tiles = all > kManyPixels || all % kPixels == 0 || all % kFewer != 0;
  for (int f = 0; f < p.output.frequency;) {
    if constexpr (kFull<D>) {
      if (f >= whole && tiles && f + kPixels <= end) {
        convolve_pixels<kPixels>(p, lines, o, t, f);
        f += kPixels;
        continue;
      }
      if (f >= whole && f + kFewer <= end) {
        convolve_pixels<kFewer>(p, lines, o, t, f);
        f += kFewer;
        continue;
      }
    }
    convolve_pixels<1>(p, lines, o, t, f);
    ++f;
  }
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

void conv2d(const Conv2dShape& shape, View<const float> input, const float* kernel, const Epilogue& epilogue,
            View<float> output, int first_row, int last_row) noexcept {
  if (first_row >= last_row) return;
  const Problem p{shape, input, kernel, epilogue, output, first_row, last_row};
  if (is_depthwise(shape)) {
    Depthwise(p).run();
  } else if (is_pointwise(p)) {
    Pointwise(p).run();
    if (Pointwise::writes_signs(p)) return;
  } else {
    convolve_rows(p);
  }
  if (!epilogue.signs) return;
  const Parameters parameters(epilogue);
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < output.frequency; ++f) {
      store_signs(parameters, output.pixel(t, f), 0, shape.out_channels, epilogue.signs.pixel(t, f));
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
