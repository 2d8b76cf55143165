// A convolution of many groups of 8 outputs, which fill half a vector of 16 lanes. So lanes run over the
// pixels of a row instead:
//
//      input rows by channel   plane 0  0 [x0 x1 x2 ...       ] 0       zeros where windows
//                              plane 1  0 [x0 x1 x2 ...       ] 0       leave the input
//      term (i, j, c)          x = 16 neighbours of plane c, row i, from column f + j on
//      outputs 0 .. 7          sum[o] = sum[o] + x * weight[o]
//
// A weight read from memory is spread over the lanes for nothing.
//
// Rows of inputs and tiles of sums are transposed, 4 x 4 at a time.
#if defined(BITTERN_KERNELS_CONV2D_GROUPED_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_CONV2D_GROUPED_INL_H
#undef BITTERN_KERNELS_CONV2D_GROUPED_INL_H
#else
#define BITTERN_KERNELS_CONV2D_GROUPED_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include "kernels/conv2d_lines-inl.h"

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL  // 16 lanes

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

class Grouped {
 public:
  static bool fits(const Problem& p) {
    const Window& w = p.shape.window;
    return p.shape.groups > 1 && p.shape.out_channels == kOutputs * p.shape.groups &&
           p.shape.in_channels % 4 == 0 && w.stride_frequency == 1 && p.output.frequency >= kLanes &&
           std::ptrdiff_t{w.kernel_time} * columns_of(p) * p.shape.in_channels <= kFloats;
  }

  explicit Grouped(const Problem& p) : p_(p), columns_(columns_of(p)) {
    std::fill_n(planes_, p.shape.window.kernel_time * columns_ * p.shape.in_channels, 0.0F);
  }

  HWY_NOINLINE void run() {
    for (int t = p_.first_row; t < p_.last_row; ++t) {
      prepare(t);
      for (int f = 0; f < p_.output.frequency; f += kLanes) {
        // The last tile may begin among the pixels of the one before, which are not stored again.
        const int first = std::min(f, p_.output.frequency - kLanes);
        for (int group = 0; group < p_.shape.groups; ++group) tile(t, first, f - first, group);
      }
    }
  }

 private:
  static constexpr int kLanes = lanes(FullTag());
  static constexpr int kOutputs = 8;
  static constexpr std::ptrdiff_t kFloats = 4096;
  using V = hn::Vec<FullTag>;
  using BlockOf4 = hn::CappedTag<float, 4>;

  static std::ptrdiff_t columns_of(const Problem& p) {
    return std::ptrdiff_t{p.output.frequency} - 1 + p.shape.window.kernel_frequency;
  }

  void prepare(int t) {
    const Taps taps = clip_rows(p_.shape.window, t, p_.input.time);
    taps_ = taps;
    for (int i = taps.begin; i < taps.end; ++i) rows_[i] = planes_of(taps.origin + i);
  }

  // Row r of the input by channel, in a place that it shares with r +- kernel_time only.
  const float* planes_of(int r) {
    const int slot = r % p_.shape.window.kernel_time;
    float* const to = planes_ + slot * columns_ * p_.shape.in_channels;
    if (held_[slot] == r + 1) return to;
    held_[slot] = r + 1;
    const int before = p_.shape.window.pad_frequency;
    const int inside = std::min(p_.input.frequency, static_cast<int>(columns_) - before);
    const BlockOf4 d;
    for (int c = 0; c < p_.shape.in_channels; c += 4) {
      float* const plane = to + c * columns_ + before;
      int f = 0;
      for (; f + 4 <= inside; f += 4) {
        hn::Vec<BlockOf4> x[4];
        for (int k = 0; k < 4; ++k) x[k] = hn::LoadU(d, p_.input.pixel(r, f + k) + c);
        transpose(d, x);
        for (int k = 0; k < 4; ++k) hn::StoreU(x[k], d, plane + k * columns_ + f);
      }
      for (; f < inside; ++f) {
        for (int k = 0; k < 4; ++k) plane[k * columns_ + f] = p_.input.pixel(r, f)[c + k];
      }
    }
    return to;
  }

  // Within each 128 bits: element k of x[l] becomes element l of x[k].
  template <class D>
  static HWY_INLINE void transpose(D d, hn::Vec<D> (&x)[4]) {
    const hn::Repartition<double, D> d64;
    const auto a = hn::BitCast(d64, hn::InterleaveLower(d, x[0], x[1]));
    const auto b = hn::BitCast(d64, hn::InterleaveLower(d, x[2], x[3]));
    const auto e = hn::BitCast(d64, hn::InterleaveUpper(d, x[0], x[1]));
    const auto g = hn::BitCast(d64, hn::InterleaveUpper(d, x[2], x[3]));
    x[0] = hn::BitCast(d, hn::InterleaveLower(d64, a, b));
    x[1] = hn::BitCast(d, hn::InterleaveUpper(d64, a, b));
    x[2] = hn::BitCast(d, hn::InterleaveLower(d64, e, g));
    x[3] = hn::BitCast(d, hn::InterleaveUpper(d64, e, g));
  }

  // Pixels f .. f + 15 of row t, the first `stored` of which are there already.
  HWY_INLINE void tile(int t, int f, int stored, int group) const {
    const FullTag d;
    const Window& w = p_.shape.window;
    const int depth = p_.depth();
    V sums[2][4];
    for (auto& half : sums) {
      for (V& sum : half) sum = hn::Zero(d);
    }
    for (int i = taps_.begin; i < taps_.end; ++i) {
      const float* const planes = rows_[i] + group * depth * columns_ + f;
      const float* weights = p_.kernel +
                             std::ptrdiff_t{i} * w.kernel_frequency * depth * p_.shape.out_channels +
                             group * kOutputs;
      for (int j = 0; j < w.kernel_frequency; ++j) {
        const float* plane = planes + j;
        for (int c = 0; c < depth; ++c, plane += columns_, weights += p_.shape.out_channels) {
          const V x = hn::LoadU(d, plane);
          for (int o = 0; o < kOutputs; ++o)
            sums[o / 4][o % 4] = hn::Add(sums[o / 4][o % 4], hn::Mul(x, hn::Set(d, weights[o])));
        }
      }
    }
    for (auto& half : sums) transpose(d, half);
    store(t, f, stored, group * kOutputs, sums);
  }

  // sums[h][k]: of pixel 4 b + k, in 128 bits b, outputs 4 h .. 4 h + 3.
  HWY_INLINE void store(int t, int f, int stored, int channel, const V (&sums)[2][4]) const {
    const FullTag d;
    alignas(64) float halves[2][4][kLanes];
    for (int h = 0; h < 2; ++h) {
      for (int k = 0; k < 4; ++k) hn::Store(sums[h][k], d, halves[h][k]);
    }
    int pixel = stored;
    for (; pixel + 8 <= kLanes; pixel += 8) store_pixels<8>(t, f, pixel, channel, halves);
    for (; pixel < kLanes; ++pixel) store_pixels<1>(t, f, pixel, channel, halves);
  }

  template <int kPixels>
  HWY_INLINE void store_pixels(int t, int f, int first, int channel,
                               const float (&halves)[2][4][kLanes]) const {
    const BlockOf4 d4;
    const hn::CappedTag<float, kOutputs> d8;
    hn::Vec<decltype(d8)> y[kPixels][1];
    for (int p = 0; p < kPixels; ++p) {
      const int k = (first + p) % 4, b = first + p - k;
      y[p][0] = hn::Combine(d8, hn::Load(d4, halves[1][k] + b), hn::Load(d4, halves[0][k] + b));
    }
    p_.store(d8, t, f + first, channel, y);
  }

  const Problem& p_;
  const std::ptrdiff_t columns_;  // of a plane
  Taps taps_;                     // along time
  const float* rows_[kMaxKernel];
  int held_[kMaxKernel] = {};  // 1 more than the row that the slot holds; 0: none
  float planes_[kFloats];
};

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // 16 lanes
#endif  // per target
