// dense_binary, dense_int8: lanes over inputs, eight partial sums whatever the vector width:
//
//      input   [x0 x1 x2 x3 x4 x5 x6 x7][x8 ...   one step adds eight inputs
//      bits     b0 b1 b2 b3 b4 b5 b6 b7           a quarter of half a word, which all lanes hold;
//                                                 each tests its own: 1 changes the float's sign
//      or int8 [w0 w1 w2 w3 w4 w5 w6 w7]          made floats
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
constexpr int kRows = 4;  // classes at once

alignas(64) constexpr std::uint32_t kBitOfLane[] = {
    1U << 0U,  1U << 1U,  1U << 2U,  1U << 3U,  1U << 4U,  1U << 5U,  1U << 6U,  1U << 7U,
    1U << 8U,  1U << 9U,  1U << 10U, 1U << 11U, 1U << 12U, 1U << 13U, 1U << 14U, 1U << 15U,
    1U << 16U, 1U << 17U, 1U << 18U, 1U << 19U, 1U << 20U, 1U << 21U, 1U << 22U, 1U << 23U,
    1U << 24U, 1U << 25U, 1U << 26U, 1U << 27U, 1U << 28U, 1U << 29U, 1U << 30U, 1U << 31U};

HWY_INLINE float sum_of(const float (&p)[kPartials]) {
  return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
}

using PartialTag = hn::CappedTag<float, kPartials>;
using Partial = hn::Vec<PartialTag>;
constexpr int kLanes = lanes(PartialTag());
constexpr int kHalf = kWordBits / 2;

// The weights of one class. block() takes those of the kHalf inputs from `begin` on; term() multiplies the
// lanes' inputs, `offset` behind begin, by theirs; product() does the same for a single one.
class SignRow {
 public:
  using Tag = hn::RebindToUnsigned<PartialTag>;
  using Block = hn::Vec<Tag>;

  SignRow(const std::uint64_t* kernel, int inputs, int row)
      : words_(kernel + std::ptrdiff_t{row} * words_for(inputs)) {}

  HWY_INLINE Block block(int begin) const {
    return hn::Set(Tag(), static_cast<std::uint32_t>(words_[begin / kWordBits] >> (begin % kWordBits)));
  }
  static HWY_INLINE Partial term(const Block& bits, std::ptrdiff_t offset, Partial x) {
    const PartialTag d;
    const Tag du;
    const auto bit = hn::Load(du, kBitOfLane + offset);
#if HWY_TARGET <= HWY_AVX3
    return hn::IfThenElse(hn::RebindMask(d, hn::TestBit(bits, bit)), hn::Neg(x), x);
#else
    const auto sign = hn::Set(du, 0x80000000U);
    return hn::BitCast(d, hn::Xor(hn::BitCast(du, x), hn::IfThenElseZero(hn::TestBit(bits, bit), sign)));
#endif
  }
  float product(int i, float x) const {
    const bool negative = (words_[i / kWordBits] >> (i % kWordBits) & 1U) != 0;
    return negative ? -x : x;
  }

 private:
  const std::uint64_t* words_;
};

class Int8Row {
 public:
  using Block = const std::int8_t*;

  Int8Row(const std::int8_t* kernel, int inputs, int row) : values_(kernel + std::ptrdiff_t{row} * inputs) {}

  HWY_INLINE Block block(int begin) const { return values_ + begin; }
  static HWY_INLINE Partial term(Block values, std::ptrdiff_t offset, Partial x) {
    const PartialTag d;
    const hn::RebindToSigned<PartialTag> d32;
    const hn::Rebind<std::int8_t, PartialTag> d8;
    return hn::Mul(x, hn::ConvertTo(d, hn::PromoteTo(d32, hn::LoadU(d8, values + offset))));
  }
  float product(int i, float x) const { return x * static_cast<float>(values_[i]); }

 private:
  const std::int8_t* values_;
};

// Classes `first` to first + kRows at once, so that their additions overlap; past the last one it is that one
// again.
template <class Row, class Element>
HWY_INLINE void dense_rows(const float* input, int inputs, const Element* kernel, const float* scale,
                           const float* bias, int first, int classes, float* output) {
  constexpr int kVectors = kPartials / kLanes;
  const PartialTag d;
  Partial p[kRows][kVectors];
  for (auto& row : p) {
    for (Partial& vector : row) vector = hn::Zero(d);
  }
  int rows[kRows];
  for (int r = 0; r < kRows; ++r) rows[r] = std::min(first + r, classes - 1);
  const int whole = inputs - inputs % kPartials;
  for (int begin = 0; begin < whole; begin += kHalf) {
    typename Row::Block blocks[kRows];
    for (int r = 0; r < kRows; ++r) blocks[r] = Row(kernel, inputs, rows[r]).block(begin);
    const int end = std::min(begin + kHalf, whole);
    for (int i = begin; i < end; i += kPartials) {
      for (int v = 0; v < kVectors; ++v) {
        const std::ptrdiff_t lane = std::ptrdiff_t{v} * kLanes;
        const Partial x = hn::LoadU(d, input + i + lane);
        for (int r = 0; r < kRows; ++r) {
          p[r][v] = hn::Add(p[r][v], Row::term(blocks[r], i - begin + lane, x));
        }
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    alignas(64) float partials[kPartials];
    for (int v = 0; v < kVectors; ++v) hn::Store(p[r][v], d, partials + std::ptrdiff_t{v} * kLanes);
    const Row row(kernel, inputs, rows[r]);
    for (int i = whole; i < inputs; ++i) partials[i % kPartials] += row.product(i, input[i]);
    const float product = sum_of(partials) * scale[rows[r]];
    output[rows[r]] = product + bias[rows[r]];
  }
}

void dense_binary(const float* input, int inputs, const std::uint64_t* kernel, const float* scale,
                  const float* bias, int classes, float* output) noexcept {
  for (int j = 0; j < classes; j += kRows)
    dense_rows<SignRow>(input, inputs, kernel, scale, bias, j, classes, output);
}

void dense_int8(const float* input, int inputs, const std::int8_t* kernel, const float* scale,
                const float* bias, int classes, float* output) noexcept {
  for (int j = 0; j < classes; j += kRows)
    dense_rows<Int8Row>(input, inputs, kernel, scale, bias, j, classes, output);
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
BITTERN_EXPORT_KERNEL(dense_int8, DenseInt8)
BITTERN_EXPORT_KERNEL(dense_float, DenseFloat)
}  // namespace bittern::kernels
#endif
