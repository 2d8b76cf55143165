// How many bits differ: words of activations against one block of a binary kernel (8 outputs), lane by lane.
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

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// At most one block of outputs.
using WordTag = hn::CappedTag<std::uint64_t, kBlockLanes>;
using WordVector = hn::Vec<WordTag>;

constexpr int kWordLanes = static_cast<int>(hn::MaxLanes(WordTag()));
constexpr int kVectorsPerBlock = kBlockLanes / kWordLanes;

// Words that are neighbours in the activations and in the kernel.
struct Run {
  const std::uint64_t* activations;
  std::ptrdiff_t kernel;  // index of the block's first word that belongs to it
  int words;
};

// Eight vectors of counts at a time share the broadcast of an activation word.
constexpr int kTileBlocks = kVectorsPerBlock >= 8 ? 1 : 8 / kVectorsPerBlock;

// Where 64-bit lanes have a popcount of their own, a vector of counts holds lanes' totals; elsewhere it holds
// a count per byte, which is good for kWordsPerFlush words.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX3_DL
constexpr int kWordsPerFlush = 1 << 24;
HWY_INLINE WordVector count_bits(WordVector x) { return hn::PopulationCount(x); }
HWY_INLINE WordVector add_counts(WordVector a, WordVector b) { return hn::Add(a, b); }
HWY_INLINE WordVector totals(WordVector counts) { return counts; }
#else
constexpr int kWordsPerFlush = 31;  // 31 * 8 < 256: what the bytes of a vector of counts hold
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

// sums[v] = differing bits per lane of kBlocks blocks from `kernel` on, `block_stride` words apart.
template <int kBlocks>
HWY_INLINE void count_runs(const Run* runs, int count, const std::uint64_t* kernel,
                           std::ptrdiff_t block_stride, WordVector (&sums)[kBlocks * kVectorsPerBlock]) {
  constexpr int kVectors = kBlocks * kVectorsPerBlock;
  const WordTag d;
  WordVector counts[kVectors];
  for (int v = 0; v < kVectors; ++v) counts[v] = hn::Zero(d);
  const auto add = [&](const std::uint64_t* activations, const std::uint64_t* weights, int words) HWY_ATTR {
    for (int i = 0; i < words; ++i, weights += kBlockLanes) {
      const auto activation = hn::Set(d, activations[i]);
      for (int v = 0; v < kVectors; ++v) {
        const auto weight = hn::Load(d, weights + (v / kVectorsPerBlock) * block_stride +
                                            std::ptrdiff_t{v % kVectorsPerBlock} * kWordLanes);
        counts[v] = add_counts(counts[v], count_bits(hn::Xor(activation, weight)));
      }
    }
  };
  if (count == 1 && runs->words <= kWordsPerFlush) {
    add(runs->activations, kernel + runs->kernel, runs->words);
    for (int v = 0; v < kVectors; ++v) sums[v] = totals(counts[v]);
    return;
  }
  for (int v = 0; v < kVectors; ++v) sums[v] = hn::Zero(d);
  int room = kWordsPerFlush;
  for (const Run* run = runs; run != runs + count; ++run) {
    for (int done = 0; done < run->words;) {
      const int words = std::min(run->words - done, room);
      add(run->activations + done, kernel + run->kernel + std::ptrdiff_t{done} * kBlockLanes, words);
      done += words;
      room -= words;
      if (room > 0) continue;
      for (int v = 0; v < kVectors; ++v) {
        sums[v] = hn::Add(sums[v], totals(counts[v]));
        counts[v] = hn::Zero(d);
      }
      room = kWordsPerFlush;
    }
  }
  for (int v = 0; v < kVectors; ++v) sums[v] = hn::Add(sums[v], totals(counts[v]));
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
