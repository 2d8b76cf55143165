// A convolution of many groups of 8 outputs, which fill half a vector of 16 lanes. So lanes run over the
// pixels of a row instead:
//
//      input rows by channel   plane 0  0 [x0 x1 x2 ...       ] 0       zeros where windows
//                              plane 1  0 [x0 x1 x2 ...       ] 0       leave the input
//      term (i, j, c)          x = 16 neighbours of plane c, row i, from column f + j on
//      outputs 0 .. 7          sum[o] = sum[o] + x * weight[o]
//
// A product spreads a weight that it reads from memory over the lanes for nothing. Two vectors of pixels at a
// time where a row has them, for eight sums alone would wait for each other.
//
// Rows of inputs and tiles of sums are transposed, 4 x 4 at a time; then two pixels' outputs make a vector.
#if defined(BITTERN_KERNELS_CONV2D_GROUPED_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_CONV2D_GROUPED_INL_H
#undef BITTERN_KERNELS_CONV2D_GROUPED_INL_H
#else
#define BITTERN_KERNELS_CONV2D_GROUPED_INL_H
#endif

#include <algorithm>
#include <cstddef>

#include "kernels/conv2d_lines-inl.h"
#include "kernels/opaque.h"

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL  // 16 lanes

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

class Grouped {
 public:
  static bool fits(const Problem& p) {
    const Window& w = p.shape.window;
    return p.shape.groups > 1 && p.shape.out_channels == kOutputs * p.shape.groups &&
           p.shape.in_channels % kLanes == 0 && w.stride_frequency == 1 && p.output.frequency >= kLanes &&
           !p.epilogue.residual &&
           std::ptrdiff_t{w.kernel_time} * columns_of(p) * p.shape.in_channels <= kFloats &&
           w.taps() * p.depth() <= kTerms;
  }

  explicit Grouped(const Problem& p) : p_(p), columns_(columns_of(p)) {
    std::fill_n(planes_, p.shape.window.kernel_time * columns_ * p.shape.in_channels, 0.0F);
  }

  HWY_NOINLINE void run() {
    for (int t = p_.first_row; t < p_.last_row; ++t) {
      prepare(t);
      int f = 0;
      for (; f + 2 * kLanes <= p_.output.frequency; f += 2 * kLanes) tiles<2>(t, f, 0);
      for (; f < p_.output.frequency; f += kLanes) {
        // The last tile may begin among the pixels of the one before, which are not stored again.
        const int first = std::min(f, p_.output.frequency - kLanes);
        tiles<1>(t, first, f - first);
      }
    }
  }

 private:
  static constexpr int kLanes = lanes(FullTag());
  static constexpr int kOutputs = 8;
  static constexpr std::ptrdiff_t kFloats = 4096;
  static constexpr int kTerms = 1024;  // of a window
  using V = hn::Vec<FullTag>;
  using BlockOf4 = hn::CappedTag<float, 4>;

  // The epilogue of a group's 8 outputs, for two pixels in a vector.
  class Finish {
   public:
    Finish(const Problem& p, int channel) : p_(p), channel_(channel), parameters_(p.epilogue) {
      float* to = values_;
      for (const float** values : {&parameters_.scale, &parameters_.bias, &parameters_.norm_scale,
                                   &parameters_.norm_bias, &parameters_.slope}) {
        if (*values == nullptr) continue;
        for (int half = 0; half < kLanes; half += kOutputs)
          std::copy_n(*values + channel, kOutputs, to + half);
        *values = to;
        to += kLanes;
      }
    }
    Finish(const Finish&) = delete;
    Finish& operator=(const Finish&) = delete;

    // sums[h][k]: of pixel f + 4 b + k of row t, in 128 bits b, outputs 4 h .. 4 h + 3.
    HWY_NOINLINE void store(int t, int f, int stored, const V (&sums)[2][4]) const {
      const FullTag d;
      alignas(64) float pairs[8][kLanes];
      for (int k = 0; k < 4; ++k) {  // pixels k and k + 8, and k + 4 and k + 12
        V y[2][1] = {{hn::OddEvenBlocks(hn::SwapAdjacentBlocks(sums[1][k]), sums[0][k])},
                     {hn::OddEvenBlocks(sums[1][k], hn::SwapAdjacentBlocks(sums[0][k]))}};
        float* const to[2] = {pairs[k], pairs[k + 4]};
        kernels::HWY_NAMESPACE::finish(parameters_, d, 0, {nullptr, nullptr}, y, to);
      }
      const hn::CappedTag<float, kOutputs> d8;
      float* pixel = p_.output.pixel(t, f + stored) + channel_;
      for (int k = stored; k < kLanes; ++k, pixel += p_.output.pixel_stride)
        hn::StoreU(hn::Load(d8, pairs[k % 8] + k / 8 * kOutputs), d8, pixel);
    }

   private:
    const Problem& p_;
    const int channel_;
    Parameters parameters_;
    alignas(64) float values_[5 * kLanes];
  };

  static std::ptrdiff_t columns_of(const Problem& p) {
    return std::ptrdiff_t{p.output.frequency} - 1 + p.shape.window.kernel_frequency;
  }

  void prepare(int t) {
    const Taps taps = clip_rows(p_.shape.window, t, p_.input.time);
    taps_ = taps;
    term_count_ = 0;
    for (int i = taps.begin; i < taps.end; ++i) {
      const float* const planes = planes_of(taps.origin + i);
      for (int j = 0; j < p_.shape.window.kernel_frequency; ++j) {
        for (int c = 0; c < p_.depth(); ++c) terms_[term_count_++] = planes + c * columns_ + j;
      }
    }
  }

  // Row r of the input by channel, in a place that it shares with r +- kernel_time only.
  const float* planes_of(int r) {
    const int slot = r % p_.shape.window.kernel_time;
    float* const to = planes_ + slot * columns_ * p_.shape.in_channels;
    if (held_[slot] == r + 1) return to;
    held_[slot] = r + 1;
    const int before = p_.shape.window.pad_frequency;
    const int inside = std::min(p_.input.frequency, static_cast<int>(columns_) - before);
    const FullTag d;
    const std::ptrdiff_t pixel_stride = p_.input.pixel_stride;
    const std::ptrdiff_t columns = columns_;
    for (int c = 0; c < p_.shape.in_channels; c += kLanes) {
      const float* from = p_.input.row(r) + c;
      float* plane = to + c * columns + before;
      int f = 0;
      for (; f + 4 <= inside; f += 4, from += 4 * pixel_stride, plane += 4) {
        V x[4];
        for (int k = 0; k < 4; ++k) x[k] = hn::LoadU(d, from + k * pixel_stride);
        transpose(d, x);
        for (int k = 0; k < 4; ++k) store_blocks(x[k], plane + k * columns);
      }
      for (; f < inside; ++f, from += pixel_stride, ++plane) {
        for (int k = 0; k < kLanes; ++k) plane[k * columns] = from[k];
      }
    }
    return to;
  }

  // 128 bits to every fourth plane.
  HWY_INLINE void store_blocks(V x, float* plane) const {
    const BlockOf4 d4;
    const hn::Half<FullTag> d8;
    const std::ptrdiff_t step = 4 * columns_;
    const auto low = hn::LowerHalf(d8, x);
    const auto high = hn::UpperHalf(d8, x);
    hn::StoreU(hn::LowerHalf(d4, low), d4, plane);
    hn::StoreU(hn::UpperHalf(d4, low), d4, plane + step);
    hn::StoreU(hn::LowerHalf(d4, high), d4, plane + 2 * step);
    hn::StoreU(hn::UpperHalf(d4, high), d4, plane + 3 * step);
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

  // kVectors vectors of pixels of row t from f on, the first `stored` of which are there already, all groups.
  template <int kVectors>
  HWY_NOINLINE void tiles(int t, int f, int stored) const {
    for (int group = 0; group < p_.shape.groups; ++group) tile<kVectors>(t, f, stored, group);
  }

  template <int kVectors>
  HWY_INLINE void tile(int t, int f, int stored, int group) const {
    const FullTag d;
    const Window& w = p_.shape.window;
    const int depth = p_.depth();
    V sums[kVectors][2][4];
    for (auto& halves : sums) {
      for (auto& half : halves) {
        for (V& sum : half) sum = hn::Zero(d);
      }
    }
    const std::ptrdiff_t outputs = p_.shape.out_channels;
    // A pointer for each vector: a weight that two share would be spread by an instruction of its own.
    const float* weights[kVectors];
    for (const float*& own : weights) {
      own = p_.kernel + std::ptrdiff_t{taps_.begin} * w.kernel_frequency * depth * outputs + group * kOutputs;
      opaque(own);
    }
    const std::ptrdiff_t shift = group * depth * columns_ + f;
    const float* const* const end = terms_ + term_count_;
    for (const float* const* term = terms_; term != end; ++term) {
      for (int v = 0; v < kVectors; ++v) {
        const V x = hn::LoadU(d, *term + shift + v * kLanes);
        for (int o = 0; o < kOutputs; ++o)
          sums[v][o / 4][o % 4] = hn::Add(sums[v][o / 4][o % 4], hn::Mul(x, hn::Set(d, weights[v][o])));
        weights[v] += outputs;
      }
    }
    const Finish finish(p_, group * kOutputs);
    for (int v = 0; v < kVectors; ++v) {
      for (auto& half : sums[v]) transpose(d, half);
      finish.store(t, f + v * kLanes, v == 0 ? stored : 0, sums[v]);
    }
  }

  const Problem& p_;
  const std::ptrdiff_t columns_;  // of a plane
  Taps taps_;                     // along time
  int term_count_ = 0;
  const float* terms_[kTerms];  // where those of row taps_ and group 0 lie for f = 0, in their order
  int held_[kMaxKernel] = {};   // 1 more than the row that the slot holds; 0: none
  float planes_[kFloats];
};

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // 16 lanes
#endif  // per target
