// What a float convolution reads and writes, and where: the input rows under a row of outputs. Where windows
// leave the input, its rows are copied with zeros around them, so that all pixels of a row are alike:
//
//      0 0 [x0 x1 x2 ...      ] 0 0               "lines", as many as the kernel has rows
#if defined(BITTERN_KERNELS_CONV2D_LINES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_CONV2D_LINES_INL_H
#undef BITTERN_KERNELS_CONV2D_LINES_INL_H
#else
#define BITTERN_KERNELS_CONV2D_LINES_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "kernels/conv2d.h"
#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"
#include "kernels/row_taps.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

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
  // Pixels f .. f + kPixels - 1 of row t.
  template <int kPixels, int kVectors, class D, class V>
  HWY_INLINE void store(D d, int t, int f, int channel, V (&sums)[kPixels][kVectors]) const {
    const float* residual[kPixels] = {};
    float* pixels[kPixels];
    pixels[0] = output.pixel(t, f);
    for (int k = 1; k < kPixels; ++k) pixels[k] = pixels[0] + k * output.pixel_stride;
    if (epilogue.residual) {
      residual[0] = epilogue.residual.pixel(t, f);
      for (int k = 1; k < kPixels; ++k) residual[k] = residual[0] + k * epilogue.residual.pixel_stride;
    }
    finish(Parameters(epilogue), d, channel, residual, sums, pixels);
  }
};

// The input rows under one row of outputs. Where windows leave them to the left or right, they are copied
// with zeros around them, so that all pixels are alike: x * w = +-0 is added to sums that are never -0, which
// changes none. (Weights are finite.)
class Lines {
 public:
  explicit Lines(const Problem& p)
      : copied_(needs_copy(p)),
        channels_(p.shape.in_channels),
        columns_((p.output.frequency - 1) * p.shape.window.stride_frequency +
                 p.shape.window.kernel_frequency),
        whole_(copied_ ? Whole{0, p.output.frequency}
                       : whole_columns(p.shape.window, p.input.frequency, p.output.frequency)),
        p_(p) {}

  static bool fits(const Problem& p) {
    const Window& w = p.shape.window;
    const std::ptrdiff_t columns =
        std::ptrdiff_t{p.output.frequency - 1} * w.stride_frequency + w.kernel_frequency;
    return columns * p.shape.in_channels * w.kernel_time <= kFloats;
  }

  // For output row t; rows in ascending order keep what they share.
  HWY_INLINE void prepare(int t) {
    taps = clip_rows(p_.shape.window, t, p_.input.time);
    block_ = kNone;
    in_one_ = taps.count() * p_.shape.window.kernel_frequency * p_.depth() <= kTerms;
    for (int i = taps.begin; i < taps.end; ++i)
      rows[i] = copied_ ? copy(taps.origin + i) : p_.input.row(taps.origin + i);
  }

  static constexpr int kTerms = 1024;  // of one loop, at most

  // All terms of a window make one loop.
  bool in_one() const { return in_one_; }

  // Where terms lie as seen from a row's start, in their order: all of a window's, or `count` inputs of tap
  // (i, j) from `input` on.
  HWY_INLINE const float* const* all_terms() {
    if (block_ != kAll) find_all();
    return terms_;
  }
  HWY_NOINLINE const float* const* terms(int i, int j, int input, int count) {
    block_ = kPart;
    find(terms_, i, j, input, count);
    return terms_;
  }

  // Floats from a row's start to what tap (., 0) of output column f reads.
  HWY_INLINE std::ptrdiff_t offset(int f) const {
    const Window& w = p_.shape.window;
    return copied_ ? std::ptrdiff_t{f} * w.stride_frequency * channels_
                   : (std::ptrdiff_t{f} * w.stride_frequency - w.pad_frequency) * p_.input.pixel_stride;
  }
  std::ptrdiff_t pixel_stride() const { return copied_ ? channels_ : p_.input.pixel_stride; }
  Taps columns(int f) const {
    return copied_ ? Taps{0, 0, p_.shape.window.kernel_frequency}
                   : clip_columns(p_.shape.window, f, p_.input.frequency);
  }
  const Whole& whole() const { return whole_; }

  Taps taps;                      // along time
  const float* rows[kMaxKernel];  // [taps.begin, taps.end) are set

 private:
  static constexpr std::ptrdiff_t kFloats = 4096;

  static bool needs_copy(const Problem& p) {
    const Window& w = p.shape.window;
    const int end = (p.output.frequency - 1) * w.stride_frequency - w.pad_frequency + w.kernel_frequency;
    return (w.pad_frequency > 0 || end > p.input.frequency) && fits(p);
  }

  HWY_NOINLINE void find_all() {
    const int depth = p_.depth();
    const float** to = terms_;
    for (int i = taps.begin; i < taps.end; ++i) {
      for (int j = 0; j < p_.shape.window.kernel_frequency; ++j, to += depth) find(to, i, j, 0, depth);
    }
    block_ = kAll;
  }

  HWY_INLINE void find(const float** to, int i, int j, int input, int count) const {
    const float* const from = rows[i] + j * pixel_stride() + input;
    for (int n = 0; n < count; ++n) to[n] = from + n;
  }

  // Row r of the input, in a place that it shares with r +- kernel_time only.
  HWY_INLINE const float* copy(int r) {
    const int slot = r % p_.shape.window.kernel_time;
    float* const to = floats_ + slot * columns_ * channels_;
    if (copied_row_[slot] == r + 1) return to;
    copied_row_[slot] = r + 1;
    const int before = p_.shape.window.pad_frequency;
    const int inside = std::min(p_.input.frequency, static_cast<int>(columns_) - before);
    std::fill_n(to, before * channels_, 0.0F);
    float* pixel = to + before * channels_;
    if (p_.input.pixel_stride == channels_) {
      std::copy_n(p_.input.row(r), inside * channels_, pixel);
    } else {
      for (int f = 0; f < inside; ++f) std::copy_n(p_.input.pixel(r, f), channels_, pixel + f * channels_);
    }
    pixel += inside * channels_;
    std::fill(pixel, to + columns_ * channels_, 0.0F);
    return to;
  }

  float floats_[kFloats];
  enum Block { kNone, kAll, kPart } block_ = kNone;  // what terms_ holds
  const float* terms_[kTerms];
  bool in_one_ = false;
  int copied_row_[kMaxKernel] = {};  // 1 more than the row that the slot holds; 0: none
  const bool copied_;
  const std::ptrdiff_t channels_;
  const std::ptrdiff_t columns_;
  const Whole whole_;
  const Problem& p_;
};

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
