// Per pixel, per word of 64 channels, lanes over channels: load, compare with zero, store the mask's bits as
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

// At c of a pixel, after the affine.
template <bool kAffine, class D>
HWY_INLINE hn::Vec<D> load(D d, const float* pixel, const float* scale, const float* bias, int c) {
  const auto x = hn::LoadU(d, pixel + c);
  if constexpr (!kAffine) return x;
  return hn::Add(hn::Mul(x, hn::LoadU(d, scale + c)), hn::LoadU(d, bias + c));
}

template <bool kAffine>
void pack_pixel(const float* pixel, int channels, const float* scale, const float* bias,
                std::uint64_t* words) {
  const FullTag d;
  constexpr int kLanes = lanes(FullTag());
  constexpr int kVectors = kLanes >= kBlockLanes ? 4 : kBlockLanes / kLanes;
  int begin = 0;
  for (; begin + kWordBits <= channels; begin += kWordBits) {
    for (int c = begin; c < begin + kWordBits; c += kVectors * kLanes) {
      hn::Vec<FullTag> y[kVectors];
      for (int v = 0; v < kVectors; ++v) y[v] = load<kAffine>(d, pixel, scale, bias, c + v * kLanes);
      store_signs_of(d, y, c, words);
    }
  }
  if (begin == channels) return;
  std::uint64_t bits = 0;
  for_channels(d, begin, channels, [&](auto part, int c) HWY_ATTR {
    bits |= sign_bits(part, load<kAffine>(part, pixel, scale, bias, c)) << (c - begin);
  });
  words[begin / kWordBits] = bits;
}

template <bool kAffine>
HWY_INLINE void pack_rows(View<const float> input, const float* scale, const float* bias,
                          View<std::uint64_t> output, int first_row, int last_row) {
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < input.frequency; ++f) {
      pack_pixel<kAffine>(input.pixel(t, f), input.channels, scale, bias, output.pixel(t, f));
    }
  }
}

void pack_signs(View<const float> input, const float* scale, const float* bias, View<std::uint64_t> output,
                int first_row, int last_row) noexcept {
  if (scale != nullptr) {
    pack_rows<true>(input, scale, bias, output, first_row, last_row);
  } else {
    pack_rows<false>(input, nullptr, nullptr, output, first_row, last_row);
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
