// dense_binary: lanes over inputs, eight partial sums whatever the vector width:
//
//      input   [x0 x1 x2 x3 x4 x5 x6 x7][x8 ...        one step adds eight inputs
//      bits     b0 b1 ..             b7                one byte of the row's word; bit 1 flips the float's
//      sign p       [p0 p1 p2 p3 p4 p5 p6 p7]               one register (AVX2 and up), two (128 bits), eight
//      (scalar)
//
// dense_float: lanes over classes.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/dense.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "core/bits.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

constexpr int kPartials = 8;

HWY_INLINE float sum_of(const float (&p)[kPartials]) {
  return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
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
  alignas(64) static constexpr std::uint32_t kBitOfLane[kPartials] = {1, 2, 4, 8, 16, 32, 64, 128};
  const auto sign = hn::Set(du, 0x80000000U);
  const std::ptrdiff_t words = words_for(inputs);

  V p[kRows][kVectors];
  for (auto& row : p) {
    for (V& vector : row) vector = hn::Zero(d);
  }
  const int whole = inputs - inputs % kPartials;
  for (int i = 0; i < whole; i += kPartials) {
    V x[kVectors];
    for (int v = 0; v < kVectors; ++v) x[v] = hn::LoadU(d, input + i + std::ptrdiff_t{v} * kLanes);
    for (int r = 0; r < kRows; ++r) {
      const auto byte =
          static_cast<std::uint32_t>(kernel[r * words + i / kWordBits] >> (i % kWordBits)) & 0xFFU;
      for (int v = 0; v < kVectors; ++v) {
        const auto bit = hn::And(hn::Set(du, byte), hn::Load(du, kBitOfLane + std::ptrdiff_t{v} * kLanes));
        const auto flip = hn::IfThenZeroElse(hn::Eq(bit, hn::Zero(du)), sign);
        p[r][v] = hn::Add(p[r][v], hn::BitCast(d, hn::Xor(hn::BitCast(du, x[v]), flip)));
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
