// Sums of four products of an unsigned byte and a signed one, per lane of 32 bits, as each instruction set
// does it best: in one instruction (VNNI), as pairs of 16 bits (other x86), or one by one.
#if defined(BITTERN_KERNELS_DOT_INT8_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_DOT_INT8_INL_H
#undef BITTERN_KERNELS_DOT_INT8_INL_H
#else
#define BITTERN_KERNELS_DOT_INT8_INL_H
#endif

#include <cstdint>
#include <cstring>

#include "core/int8_kernel.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most one block of outputs.
using Int8SumTag = hn::CappedTag<std::int32_t, kInt8Lanes>;
using Int8Sums = hn::Vec<Int8SumTag>;

// Four bytes of each lane, behind each other.
HWY_INLINE Int8Sums load_quads(const std::int8_t* bytes) {
  const Int8SumTag d;
#if HWY_TARGET == HWY_SCALAR
  std::int32_t quad;
  std::memcpy(&quad, bytes, sizeof(quad));
  return hn::Set(d, quad);
#else
  return hn::BitCast(d, hn::LoadU(hn::Repartition<std::int8_t, Int8SumTag>(), bytes));
#endif
}

// The same four bytes in all lanes, and four weights a lane, made ready once for many sums.
#if HWY_TARGET == HWY_AVX3_DL
struct QuadInputs {
  Int8Sums all;
  explicit HWY_INLINE QuadInputs(std::uint32_t quad)
      : all(hn::Set(Int8SumTag(), static_cast<std::int32_t>(quad))) {}
};
struct QuadWeights {
  Int8Sums all;
  QuadWeights() = default;
  explicit HWY_INLINE QuadWeights(Int8Sums weights) : all(weights) {}
};
HWY_INLINE Int8Sums add_products(Int8Sums sums, const QuadInputs& x, const QuadWeights& w) {
  // Spelt out: Highway 1.0.3 lets the compiler use AVX-VNNI here, where AVX512-VNNI is meant.
  asm("vpdpbusd %2, %1, %0" : "+v"(sums.raw) : "v"(x.all.raw), "v"(w.all.raw));
  return sums;
}

#elif HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
struct QuadInputs {
  Int8Sums even;
  Int8Sums odd;
  explicit HWY_INLINE QuadInputs(std::uint32_t quad) {
    const Int8SumTag d;
    const hn::Repartition<std::uint16_t, Int8SumTag> d16;
    const auto all = hn::BitCast(d16, hn::Set(d, static_cast<std::int32_t>(quad)));
    even = hn::BitCast(d, hn::And(all, hn::Set(d16, std::uint16_t{0xFF})));
    odd = hn::BitCast(d, hn::ShiftRight<8>(all));
  }
};
struct QuadWeights {
  Int8Sums even;
  Int8Sums odd;
  QuadWeights() = default;
  explicit HWY_INLINE QuadWeights(Int8Sums weights) {
    const Int8SumTag d;
    const hn::Repartition<std::int16_t, Int8SumTag> d16;
    const auto pairs = hn::BitCast(d16, weights);
    even = hn::BitCast(d, hn::ShiftRight<8>(hn::ShiftLeft<8>(pairs)));
    odd = hn::BitCast(d, hn::ShiftRight<8>(pairs));
  }
};
HWY_INLINE Int8Sums multiply_pairs(Int8Sums a, Int8Sums b) {
#if HWY_TARGET == HWY_AVX3
  return Int8Sums{_mm512_madd_epi16(a.raw, b.raw)};
#elif HWY_TARGET == HWY_AVX2
  return Int8Sums{_mm256_madd_epi16(a.raw, b.raw)};
#else
  return Int8Sums{_mm_madd_epi16(a.raw, b.raw)};
#endif
}
HWY_INLINE Int8Sums add_products(Int8Sums sums, const QuadInputs& x, const QuadWeights& w) {
  return hn::Add(sums, hn::Add(multiply_pairs(x.even, w.even), multiply_pairs(x.odd, w.odd)));
}

#else
struct QuadInputs {
  Int8Sums byte[kQuad];
  explicit HWY_INLINE QuadInputs(std::uint32_t quad) {
    for (int i = 0; i < kQuad; ++i)
      byte[i] =
          hn::Set(Int8SumTag(), static_cast<std::int32_t>((quad >> (8U * static_cast<unsigned>(i))) & 0xFFU));
  }
};
struct QuadWeights {
  Int8Sums byte[kQuad];
  QuadWeights() = default;
  explicit HWY_INLINE QuadWeights(Int8Sums weights)
      : byte{hn::ShiftRight<24>(hn::ShiftLeft<24>(weights)), hn::ShiftRight<24>(hn::ShiftLeft<16>(weights)),
             hn::ShiftRight<24>(hn::ShiftLeft<8>(weights)), hn::ShiftRight<24>(weights)} {}
};
HWY_INLINE Int8Sums add_products(Int8Sums sums, const QuadInputs& x, const QuadWeights& w) {
  for (int i = 0; i < kQuad; ++i) sums = hn::Add(sums, hn::Mul(x.byte[i], w.byte[i]));
  return sums;
}
#endif

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
