// Per pixel, per word of 64 channels, lanes over channels: load, compare with zero, gather the mask's bits.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/pack_signs.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "core/bits.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

template <bool kAffine>
void pack_rows(View<const float> input, const float* scale, const float* bias, View<std::uint64_t> output,
               int first_row, int last_row) {
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < input.frequency; ++f) {
      const float* pixel = input.pixel(t, f);
      std::uint64_t* words = output.pixel(t, f);
      for (int begin = 0; begin < input.channels; begin += kWordBits) {
        const int end = begin + kWordBits < input.channels ? begin + kWordBits : input.channels;
        std::uint64_t bits = 0;
        for_channels(FullTag(), begin, end, [&](auto d, int c) HWY_ATTR {
          auto x = hn::LoadU(d, pixel + c);
          if constexpr (kAffine) x = hn::Add(hn::Mul(x, hn::LoadU(d, scale + c)), hn::LoadU(d, bias + c));
          bits |= sign_bits(d, x) << (c - begin);
        });
        words[begin / kWordBits] = bits;
      }
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
