// Counting the 1 bits of vectors of 64-bit lanes, lane by lane.
#if defined(BITTERN_KERNELS_COUNT_BITS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_COUNT_BITS_INL_H
#undef BITTERN_KERNELS_COUNT_BITS_INL_H
#else
#define BITTERN_KERNELS_COUNT_BITS_INL_H
#endif

#include <cstdint>

#include "core/bits.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most one block of outputs.
using WordTag = hn::CappedTag<std::uint64_t, kBlockLanes>;
using WordVector = hn::Vec<WordTag>;

constexpr int kWordLanes = static_cast<int>(hn::MaxLanes(WordTag()));
constexpr int kVectorsPerBlock = kBlockLanes / kWordLanes;

// How bits are counted. Where 64-bit lanes have a popcount of their own, a register of counts holds lanes'
// totals; elsewhere it holds a count per byte, which is good for kWordsPerFlush words.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX3_DL
constexpr int kWordsPerFlush = 1 << 24;
HWY_INLINE WordVector count_bits(WordVector x) { return hn::PopulationCount(x); }
HWY_INLINE WordVector add_counts(WordVector a, WordVector b) { return hn::Add(a, b); }
HWY_INLINE WordVector totals(WordVector counts) { return counts; }
#else
constexpr int kWordsPerFlush = 31;
using ByteTag = hn::Repartition<std::uint8_t, WordTag>;
HWY_INLINE WordVector count_bits(WordVector x) {
  return hn::BitCast(WordTag(), hn::PopulationCount(hn::BitCast(ByteTag(), x)));
}
HWY_INLINE WordVector add_counts(WordVector a, WordVector b) {
  return hn::BitCast(WordTag(), hn::Add(hn::BitCast(ByteTag(), a), hn::BitCast(ByteTag(), b)));
}
#if HWY_ARCH_X86 || HWY_ARCH_ARM
HWY_INLINE WordVector totals(WordVector counts) { return hn::SumsOf8(hn::BitCast(ByteTag(), counts)); }
#else
HWY_INLINE WordVector totals(WordVector counts) {
  const WordTag d;
  const auto low = hn::Set(d, std::uint64_t{0x00FF00FF00FF00FFU});
  const auto pairs = hn::Add(hn::And(counts, low), hn::And(hn::ShiftRight<8>(counts), low));
  const auto quads = hn::Add(pairs, hn::ShiftRight<16>(pairs));
  return hn::And(hn::Add(quads, hn::ShiftRight<32>(quads)), hn::Set(d, std::uint64_t{0xFFFFU}));
}
#endif
#endif

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
