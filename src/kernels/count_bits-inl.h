// Vectors of words and the counts of their bits; where the words of a sum lie.
#if defined(BITTERN_KERNELS_COUNT_BITS_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_COUNT_BITS_INL_H
#undef BITTERN_KERNELS_COUNT_BITS_INL_H
#else
#define BITTERN_KERNELS_COUNT_BITS_INL_H
#endif

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "core/bits.h"
#include "hwy/highway.h"
#include "kernels/window.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most one block of outputs.
using WordTag = hn::CappedTag<std::uint64_t, kBlockLanes>;
using WordVector = hn::Vec<WordTag>;

constexpr int kWordLanes = static_cast<int>(hn::MaxLanes(WordTag()));
constexpr int kVectorsPerBlock = kBlockLanes / kWordLanes;

// `pixels` times `words` words of activations, `stride` apart, which are neighbours in the kernel.
struct Run {
  const std::uint64_t* activations;
  std::ptrdiff_t stride;
  int pixels;
  int words;
  std::ptrdiff_t kernel;  // index of the block's first word that belongs to it
};

struct Runs {
  int words = 0;  // of all
  int count = 0;
  int nines = 0;         // words / 9, where there are three runs without gaps, of 3 * nines words each
  Run runs[kMaxKernel];  // at most one for each row of a kernel
};

// Eight vectors of counts at a time share the broadcast of an activation word.
constexpr int kTileBlocks = kVectorsPerBlock >= 8 ? 1 : 8 / kVectorsPerBlock;

// Where 64-bit lanes have a popcount of their own, a vector counts per lane; elsewhere it counts per byte,
// which is good for kWordsPerFlush words.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX3_DL
constexpr bool kByteCounts = false;
using CountTag = WordTag;
#else
constexpr bool kByteCounts = true;
using CountTag = hn::Repartition<std::uint8_t, WordTag>;
#endif
using Counts = hn::Vec<CountTag>;

HWY_INLINE Counts count_bits(WordVector x) { return hn::PopulationCount(hn::BitCast(CountTag(), x)); }

// What the counts of a lane add up to.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX3_DL
HWY_INLINE WordVector totals(Counts counts) { return counts; }
#elif HWY_ARCH_X86 || HWY_ARCH_ARM
HWY_INLINE WordVector totals(Counts counts) { return hn::SumsOf8(counts); }
#else
HWY_INLINE WordVector totals(Counts counts) {
  const WordTag d;
  const auto bytes = hn::BitCast(d, counts);
  const auto low = hn::Set(d, std::uint64_t{0x00FF00FF00FF00FFU});
  const auto pairs = hn::Add(hn::And(bytes, low), hn::And(hn::ShiftRight<8>(bytes), low));
  const auto quads = hn::Add(pairs, hn::ShiftRight<16>(pairs));
  return hn::And(hn::Add(quads, hn::ShiftRight<32>(quads)), hn::Set(d, std::uint64_t{0xFFFFU}));
}
#endif
constexpr int kWordsPerFlush = 31;  // 31 * 8 < 256: what the bytes of a vector of counts hold

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
