// Compiled once per instruction set: covering a range of channels with vectors, and signs of a vector as
// bits.
#if defined(BITTERN_KERNELS_LANES_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_LANES_INL_H
#undef BITTERN_KERNELS_LANES_INL_H
#else
#define BITTERN_KERNELS_LANES_INL_H
#endif

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "hwy/highway.h"
#include "kernels/opaque.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using FullTag = hn::ScalableTag<float>;
using BlockTag = hn::CappedTag<float, 8>;  // at most one block of outputs

template <class D>
constexpr int lanes(D d) {
  return static_cast<int>(hn::MaxLanes(d));
}

// Calls body(d, c) over [begin, end): whole vectors first, then ever smaller ones down to one lane, so that
// nothing past `end` is touched.
template <class D, class Body>
HWY_INLINE void for_channels(D d, int begin, int end, const Body& body) {
  constexpr int kLanes = lanes(D());
  for (; begin + kLanes <= end; begin += kLanes) body(d, begin);
  if constexpr (kLanes > 1) {
    if (begin < end) for_channels(hn::CappedTag<float, kLanes / 2>(), begin, end, body);
  }
}

// Fewer than eight channels at a time, the last ones of a number that does not fill vectors, come by the
// pixel: networks hardly have them, and each tile of pixels is code.
template <class D>
constexpr bool kInTiles = lanes(D()) >= (lanes(FullTag()) < 8 ? lanes(FullTag()) : 8);

// *x in all lanes, for one product. AVX-512 spreads what a product reads from memory for nothing; a compiler
// that sees the same value used twice would spread it into a register instead, which costs as much as a
// product.
template <class D>
HWY_INLINE hn::Vec<D> spread(D d, const float*& x) {
#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL
  opaque(x);
#endif
  return hn::Set(d, *x);
}

// Bit l = lane l is true. At most 16 lanes.
template <class D, class Mask>
HWY_INLINE std::uint64_t bits_of(D d, Mask mask) {
  if constexpr (lanes(D()) <= 8) {
    std::uint8_t bits = 0;
    hn::StoreMaskBits(d, mask, &bits);
    return bits;
  } else {
    std::uint8_t bytes[8] = {};
    hn::StoreMaskBits(d, mask, bytes);
    std::uint16_t bits = 0;
    std::memcpy(&bits, bytes, sizeof(bits));
    return bits;
  }
}

// Bit l = lane l is negative (-0 is not, NaN is not).
template <class D, class V>
HWY_INLINE std::uint64_t sign_bits(D d, V v) {
  return bits_of(d, hn::Lt(v, hn::Zero(d)));
}

// m < x ? x : m, for NaN and -0 too. That is what x86's maximum does; other machines' differ.
template <class D, class V>
HWY_INLINE V larger_of([[maybe_unused]] D d, V m, V x) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR
  return hn::Max(x, m);
#else
  return hn::IfThenElse(hn::Lt(m, x), x, m);
#endif
}

// v > 0 ? v : 0
template <class D, class V>
HWY_INLINE V relu_of(D d, V v) {
  return larger_of(d, hn::Zero(d), v);
}

// v > 0 ? v : v * slope
template <class D, class V>
HWY_INLINE V prelu_of(D d, V v, V slope) {
  return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), v, hn::Mul(v, slope));
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
