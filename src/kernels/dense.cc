// dense_binary: lanes over inputs, eight partial sums whatever the vector width:
//
//      input   [x0 x1 x2 x3 x4 x5 x6 x7][x8 ...   one step adds eight inputs
//      bits     b0 b1 b2 b3 b4 b5 b6 b7           a quarter of half a word, which all lanes hold; each tests
//      its
//                                                 own bit: 1 changes the float's sign
//      p       [p0 p1 p2 p3 p4 p5 p6 p7]          one register (AVX2 and up), two (128 bits), eight (scalar)
//
// dense_float: lanes over classes.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include <algorithm>

#include "core/bits.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

constexpr int kPartials = 8;

alignas(64) constexpr std::uint32_t kBitOfLane[] = {
    1U << 0U,  1U << 1U,  1U << 2U,  1U << 3U,  1U << 4U,  1U << 5U,  1U << 6U,  1U << 7U,
    1U << 8U,  1U << 9U,  1U << 10U, 1U << 11U, 1U << 12U, 1U << 13U, 1U << 14U, 1U << 15U,
    1U << 16U, 1U << 17U, 1U << 18U, 1U << 19U, 1U << 20U, 1U << 21U, 1U << 22U, 1U << 23U,
    1U << 24U, 1U << 25U, 1U << 26U, 1U << 27U, 1U << 28U, 1U << 29U, 1U << 30U, 1U << 31U};

HWY_INLINE float sum_of(const float (&p)[kPartials]) {
  return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
}

// x where its bit is 0, minus_x where it is 1.
template <class D, class DU, class V, class VU>
HWY_INLINE V with_sign([[maybe_unused]] D d, [[maybe_unused]] DU du, V x, [[maybe_unused]] V minus_x, VU bits,
                       VU bit) {
#if HWY_TARGET <= HWY_AVX3
  return hn::IfThenElse(hn::RebindMask(d, hn::TestBit(bits, bit)), minus_x, x);
#else
  const auto sign = hn::Set(du, 0x80000000U);
  return hn::BitCast(d, hn::Xor(hn::BitCast(du, x), hn::IfThenElseZero(hn::TestBit(bits, bit), sign)));
#endif
}

// kRows classes at once, so that their additions overlap.
template <int kRows>
void dense_binary_rows(const float* input, int inputs, const std::uint64_t* kernel, const float* scale,
                       const float* bias, float* output) {
  using D = hn::CappedTag<float, kPartials>;
  constexpr int kLanes = lanes(D());
  constexpr int kVectors = kPartials / kLanes;
  const D d;
  const hn::RebindToUnsigned<D> du;
  using V = hn::Vec<D>;
  constexpr int kHalf = kWordBits / 2;
  const std::ptrdiff_t words = words_for(inputs);

  V p[kRows][kVectors];
  for (auto& row : p) {
    for (V& vector : row) vector = hn::Zero(d);
  }
  const int whole = inputs - inputs % kPartials;
  for (int begin = 0; begin < whole; begin += kHalf) {
    hn::Vec<decltype(du)> bits[kRows];
    for (int r = 0; r < kRows; ++r) {
      bits[r] = hn::Set(
          du, static_cast<std::uint32_t>(kernel[r * words + begin / kWordBits] >> (begin % kWordBits)));
    }
    const int end = std::min(begin + kHalf, whole);
    for (int i = begin; i < end; i += kPartials) {
      for (int v = 0; v < kVectors; ++v) {
        const std::ptrdiff_t lane = std::ptrdiff_t{v} * kLanes;
        const auto bit = hn::Load(du, kBitOfLane + (i - begin) + lane);
        const V x = hn::LoadU(d, input + i + lane);
        const V minus_x = hn::Neg(x);
        for (int r = 0; r < kRows; ++r) {
          p[r][v] = hn::Add(p[r][v], with_sign(d, du, x, minus_x, bits[r], bit));
        }
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    alignas(64) float partials[kPartials];
    for (int v = 0; v < kVectors; ++v) hn::Store(p[r][v], d, partials + std::ptrdiff_t{v} * kLanes);
    for (int i = whole; i < inputs; ++i) {
      const bool negative = (kernel[r * words + i / kWordBits] >> (i % kWordBits) & 1U) != 0;
      partials[i % kPartials] += negative ? -input[i] : input[i];
    }
    const float product = sum_of(partials) * scale[r];
    output[r] = product + bias[r];
  }
}

void dense_binary(const float* input, int inputs, const std::uint64_t* kernel, const float* scale,
                  const float* bias, int classes, float* output) noexcept {
  constexpr int kRows = 4;
  const std::ptrdiff_t words = words_for(inputs);
  int j = 0;
  for (; j + kRows <= classes; j += kRows) {
    dense_binary_rows<kRows>(input, inputs, kernel + j * words, scale + j, bias + j, output + j);
  }
  for (; j < classes; ++j) {
    dense_binary_rows<1>(input, inputs, kernel + j * words, scale + j, bias + j, output + j);
  }
}

void dense_float(const float* input, int inputs, const float* kernel, const float* bias, int classes,
                 float* output) noexcept {
  for_channels(FullTag(), 0, classes, [=](auto d, int j) HWY_ATTR {
    auto sum = hn::Zero(d);
    for (int i = 0; i < inputs; ++i) {
      const auto weights = hn::LoadU(d, kernel + std::ptrdiff_t{i} * classes + j);
      sum = hn::Add(sum, hn::Mul(hn::Set(d, input[i]), weights));
    }
    if (bias != nullptr) sum = hn::Add(sum, hn::LoadU(d, bias + j));
    hn::StoreU(sum, d, output + j);
  });
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(dense_binary, DenseBinary)
BITTERN_EXPORT_KERNEL(dense_float, DenseFloat)
}  // namespace bittern::kernels
#endif
