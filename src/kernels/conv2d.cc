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
// conv2d_depthwise-inl.h. Groups of 8 outputs: conv2d_grouped-inl.h.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include <algorithm>

#include "kernels/conv2d_depthwise-inl.h"
#include "kernels/conv2d_grouped-inl.h"
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

// kVectors vectors of outputs from `channel` on, which read the inputs from `first_input` on.
template <int kVectors, class D>
struct Outputs {
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

  // Adds `count` terms, whose weights are `outputs` apart.
  HWY_INLINE void add(const float* const* terms, int count, const Inputs<kPixels>& inputs,
                      const float* weights, std::ptrdiff_t outputs) {
    const D d;
    for (const float* const* const end = terms + count; terms != end; ++terms) {
      V w[kVectors];
      for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weights + v * lanes(d));
      for (int p = 0; p < kPixels; ++p) {
        const float* x = inputs.at(*terms, p);
        for (int v = 0; v < kVectors; ++v) sums_[p][v] = hn::Add(sums_[p][v], hn::Mul(input(x), w[v]));
      }
      weights += outputs;
    }
  }

  // Once all terms are there.
  HWY_INLINE V (&sums())[kPixels][kVectors] { return sums_; }

 private:
  static HWY_INLINE V input(const float*& x) {
    if constexpr (kVectors == 1) {
      return hn::Set(D(), *x);
    } else {
      return spread(D(), x);
    }
  }

  V sums_[kPixels][kVectors];
};

// Pixels f .. f + kPixels - 1 of row t, which all have the taps of the first.
template <int kPixels, int kVectors, class D>
HWY_INLINE void convolve_pixels(const Problem& p, Lines& lines, const Outputs<kVectors, D>& o, int t, int f) {
  const Window& window = p.shape.window;
  const int depth = p.depth();
  const std::ptrdiff_t outputs = p.shape.out_channels;
  const std::ptrdiff_t stride = lines.pixel_stride();
  const Taps columns = lines.columns(f);
  const Inputs<kPixels> places(lines.offset(f) + o.first_input, window.stride_frequency * stride);
  Tile<kPixels, kVectors, D> tile;
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
template <int kVectors, class D>
HWY_NOINLINE void convolve_row(const Problem& p, Lines& lines, const Outputs<kVectors, D>& o, int t) {
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

HWY_NOINLINE void convolve_rows(const Problem& p) {
  Lines lines(p);
  for (int t = p.first_row; t < p.last_row; ++t) {
    lines.prepare(t);
    for_groups(p, [&](const auto& outputs) HWY_ATTR { convolve_row(p, lines, outputs, t); });
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
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  } else if (Grouped::fits(p)) {
    Grouped(p).run();
#endif
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
