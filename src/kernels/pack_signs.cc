// Per row, part of a word and pixel, lanes over channels: load, compare with zero, store the mask's bits as
// they come, whole bytes. Only a last word that is not full gathers its bits first.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pack_signs.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "core/bits.h"
#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// Without scale and bias 1 and 0 take their place: x * 1 + 0 has the sign of x.
struct Row {
  const View<const float>& input;
  const float* scale;
  const float* bias;
  const View<std::uint64_t>& output;
  int t;

  template <class D>
  HWY_INLINE hn::Vec<D> scale_at(D d, int c) const {
    return scale == nullptr ? hn::Set(d, 1.0F) : hn::LoadU(d, scale + c);
  }
  template <class D>
  HWY_INLINE hn::Vec<D> bias_at(D d, int c) const {
    return bias == nullptr ? hn::Zero(d) : hn::LoadU(d, bias + c);
  }

  // Whole bytes of every pixel, kVectors vectors of channels from c on: their scales and biases are read
  // once.
  template <int kVectors>
  HWY_INLINE void whole(int c) const {
    const FullTag d;
    constexpr std::ptrdiff_t kLanes = lanes(FullTag());
    hn::Vec<FullTag> scales[kVectors];
    hn::Vec<FullTag> biases[kVectors];
    for (int v = 0; v < kVectors; ++v) {
      scales[v] = scale_at(d, c + v * lanes(d));
      biases[v] = bias_at(d, c + v * lanes(d));
    }
    const float* pixel = input.pixel(t, 0) + c;
    std::uint64_t* words = output.pixel(t, 0);
    for (int f = 0; f < input.frequency; ++f) {
      hn::Vec<FullTag> y[kVectors];
      for (int v = 0; v < kVectors; ++v)
        y[v] = hn::Add(hn::Mul(hn::LoadU(d, pixel + v * kLanes), scales[v]), biases[v]);
      store_signs_of(d, y, c, words);
      pixel += input.pixel_stride;
      words += output.pixel_stride;
    }
  }

  // The last word, which is not full.
  HWY_INLINE void rest(int begin) const {
    for (int f = 0; f < input.frequency; ++f) {
      const float* const pixel = input.pixel(t, f);
      std::uint64_t bits = 0;
      for_channels(FullTag(), begin, input.channels, [&](auto d, int c) HWY_ATTR {
        const auto y = hn::Add(hn::Mul(hn::LoadU(d, pixel + c), scale_at(d, c)), bias_at(d, c));
        bits |= sign_bits(d, y) << (c - begin);
      });
      output.pixel(t, f)[begin / kWordBits] = bits;
    }
  }
};

void pack_signs(View<const float> input, const float* scale, const float* bias, View<std::uint64_t> output,
                int first_row, int last_row) noexcept {
  constexpr int kLanes = lanes(FullTag());
  constexpr int kVectors = kLanes >= kBlockLanes ? 4 : kBlockLanes / kLanes;
  const int whole = input.channels / kWordBits * kWordBits;
  for (int t = first_row; t < last_row; ++t) {
    const Row row{input, scale, bias, output, t};
    for (int c = 0; c < whole; c += kVectors * kLanes) row.whole<kVectors>(c);
    if (whole < input.channels) row.rest(whole);
  }
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(pack_signs, PackSigns)
}  // namespace bittern::kernels
#endif
