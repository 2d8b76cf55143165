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
  Run runs[31];  // at most one for each row of a kernel
};

// Eight vectors of counts at a time share the broadcast of an activation word.
constexpr int kTileBlocks = kVectorsPerBlock >= 8 ? 1 : 8 / kVectorsPerBlock;

// Where 64-bit lanes have a popcount of their own, a vector counts per lane; elsewhere it counts per byte,
// which is good for kWordsPerFlush words.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_AVX3_DL
constexpr bool kByteCounts = false;
HWY_INLINE WordVector count_bits(WordVector x) { return hn::PopulationCount(x); }
HWY_INLINE WordVector add_counts(WordVector a, WordVector b) { return hn::Add(a, b); }
HWY_INLINE WordVector totals(WordVector counts) { return counts; }
#else
constexpr bool kByteCounts = true;
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
constexpr int kWordsPerFlush = 31;  // 31 * 8 < 256: what the bytes of a vector of counts hold

// left[v] = from - differing bits, modulo 2^64, per lane of kBlocks blocks from `kernel` on, `block_stride`
// words apart. The runs' activations lie `offset` words further.
template <int kBlocks>
HWY_INLINE void count_down(std::int64_t from, const Runs& runs, std::ptrdiff_t offset,
                           const std::uint64_t* kernel, std::ptrdiff_t block_stride,
                           WordVector (&left)[kBlocks * kVectorsPerBlock]) {
  constexpr int kVectors = kBlocks * kVectorsPerBlock;
  const WordTag d;
  const auto start = hn::Set(d, static_cast<std::uint64_t>(from));
  const auto add_word = [&](const std::uint64_t* activations, const std::uint64_t* weights,
                            const auto& body) HWY_ATTR {
    const auto activation = hn::Set(d, *activations);
    for (int v = 0; v < kVectors; ++v) {
      const auto weight = hn::Load(d, weights + (v / kVectorsPerBlock) * block_stride +
                                          std::ptrdiff_t{v % kVectorsPerBlock} * kWordLanes);
      body(v, count_bits(hn::Xor(activation, weight)));
    }
  };
  // By threes, for kernels are mostly 3 wide.
  const auto add_words = [&](const std::uint64_t* activations, const std::uint64_t* weights, int words,
                             const auto& body) HWY_ATTR {
    int i = 0;
    for (; i + 3 <= words; i += 3, weights += 3 * kBlockLanes) {
      add_word(activations + i, weights, body);
      add_word(activations + i + 1, weights + kBlockLanes, body);
      add_word(activations + i + 2, weights + 2 * kBlockLanes, body);
    }
    for (; i < words; ++i, weights += kBlockLanes) add_word(activations + i, weights, body);
  };
  // words_of(activations, weights, words) for every pixel of every run
  const auto for_pixels = [&](const auto& words_of) HWY_ATTR {
    const Run* const end = runs.runs + runs.count;
    for (const Run* run = runs.runs; run != end; ++run) {
      const std::uint64_t* activations = run->activations + offset;
      const std::uint64_t* weights = kernel + run->kernel;
      const int words = run->words;
      for (int pixels = run->pixels; pixels > 0; --pixels) {
        words_of(activations, weights, words);
        activations += run->stride;
        weights += std::ptrdiff_t{words} * kBlockLanes;
      }
    }
  };
  if constexpr (kByteCounts) {
    WordVector counts[kVectors];
    for (int v = 0; v < kVectors; ++v) counts[v] = hn::Zero(d);
    const auto add = [&](int v, WordVector bits) HWY_ATTR { counts[v] = add_counts(counts[v], bits); };
    if (runs.words <= kWordsPerFlush) {
      for_pixels([&](const std::uint64_t* activations, const std::uint64_t* weights, int words)
                     HWY_ATTR { add_words(activations, weights, words, add); });
      for (int v = 0; v < kVectors; ++v) left[v] = hn::Sub(start, totals(counts[v]));
      return;
    }
    for (int v = 0; v < kVectors; ++v) left[v] = start;
    int room = kWordsPerFlush;
    for_pixels([&](const std::uint64_t* activations, const std::uint64_t* weights, int words) HWY_ATTR {
      while (words > 0) {
        const int fitting = std::min(words, room);
        add_words(activations, weights, fitting, add);
        activations += fitting;
        weights += std::ptrdiff_t{fitting} * kBlockLanes;
        words -= fitting;
        room -= fitting;
        if (room > 0) continue;
        for (int v = 0; v < kVectors; ++v) {
          left[v] = hn::Sub(left[v], totals(counts[v]));
          counts[v] = hn::Zero(d);
        }
        room = kWordsPerFlush;
      }
    });
    for (int v = 0; v < kVectors; ++v) left[v] = hn::Sub(left[v], totals(counts[v]));
  } else {
    for (int v = 0; v < kVectors; ++v) left[v] = start;
    for_pixels([&](const std::uint64_t* activations, const std::uint64_t* weights, int words) HWY_ATTR {
      add_words(activations, weights, words,
                [&](int v, WordVector bits) HWY_ATTR { left[v] = hn::Sub(left[v], bits); });
    });
  }
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
