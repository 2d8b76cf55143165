// sum = from - differing bits: the words of one output pixel's patch against blocks of a binary kernel.
#if defined(BITTERN_KERNELS_COUNT_DOWN_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_COUNT_DOWN_INL_H
#undef BITTERN_KERNELS_COUNT_DOWN_INL_H
#else
#define BITTERN_KERNELS_COUNT_DOWN_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/carry_save-inl.h"
#include "kernels/count_bits-inl.h"
#include "kernels/opaque.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3
template <int kBlocks>
HWY_INLINE void count_down(std::int64_t from, const Runs& runs, std::ptrdiff_t offset,
                           const std::uint64_t* kernel, std::ptrdiff_t block_stride,
                           WordVector (&left)[kBlocks * kVectorsPerBlock]) {
  static_assert(kVectorsPerBlock == 1);
  count_down_carry_save(from, runs, offset, kernel, block_stride, left, kBlocks);
}
#else
// sums[v] counts the differing bits of `words` neighbouring words up, or, where lanes have a popcount, down.
template <int kBlocks>
HWY_INLINE void count_words(const std::uint64_t* activations, const std::uint64_t* weights, int words,
                            std::ptrdiff_t block_stride, Counts (&sums)[kBlocks * kVectorsPerBlock]) {
  constexpr int kVectors = kBlocks * kVectorsPerBlock;
  // A word takes few instructions where lanes have a popcount. By threes, for kernels are mostly 3 wide.
  constexpr int kUnrolled = kByteCounts ? 1 : 3;
  const WordTag d;
  Counts local[kVectors];  // in registers
  for (int v = 0; v < kVectors; ++v) local[v] = sums[v];
  // Few blocks of many vectors: a pointer for each block, so that the vectors lie at constants from it.
  constexpr int kPointers = kVectorsPerBlock >= 4 ? kBlocks : 1;
  const std::uint64_t* blocks[kPointers];
  for (int b = 0; b < kPointers; ++b) blocks[b] = weights + b * block_stride;
  const auto weight_at = [&](int v, int i) HWY_ATTR {
    const int block = v / kVectorsPerBlock;
    const std::ptrdiff_t at =
        std::ptrdiff_t{i} * kBlockLanes + std::ptrdiff_t{v % kVectorsPerBlock} * kWordLanes;
    if constexpr (kPointers > 1) {
      return hn::Load(d, blocks[block] + at);
    } else {
      return hn::Load(d, blocks[0] + block * block_stride + at);
    }
  };
  const auto add_word = [&](int i) HWY_ATTR {
    const auto activation = hn::Set(d, activations[i]);
    for (int v = 0; v < kVectors; ++v) {
      const auto bits = count_bits(hn::Xor(activation, weight_at(v, i)));
      if constexpr (kByteCounts) {
        local[v] = hn::Add(local[v], bits);
      } else {
        local[v] = hn::Sub(local[v], bits);
      }
    }
  };
  const auto advance = [&](int steps) HWY_ATTR {
    activations += steps;
    for (auto& block : blocks) block += std::ptrdiff_t{steps} * kBlockLanes;
  };
  for (; words >= kUnrolled; words -= kUnrolled) {
    for (int i = 0; i < kUnrolled; ++i) add_word(i);
    advance(kUnrolled);
  }
  if constexpr (kUnrolled > 1) {
    for (; words > 0; --words, advance(1)) add_word(0);
  }
  for (int v = 0; v < kVectors; ++v) sums[v] = local[v];
}

// left[v] = from - differing bits, modulo 2^64, per lane of kBlocks blocks from `kernel` on, `block_stride`
// words apart. The runs' activations lie `offset` words further.
template <int kBlocks>
HWY_INLINE void count_down(std::int64_t from, const Runs& runs, std::ptrdiff_t offset,
                           const std::uint64_t* kernel, std::ptrdiff_t block_stride,
                           WordVector (&left)[kBlocks * kVectorsPerBlock]) {
  constexpr int kVectors = kBlocks * kVectorsPerBlock;
  const WordTag d;
  const auto start = hn::Set(d, static_cast<std::uint64_t>(from));
  if constexpr (!kByteCounts && kVectorsPerBlock == 1 && kBlocks == kTileBlocks) {
    // All nine words of a kernel, such as 3 x 3 over up to 64 channels: the ends of loops would take as long
    // as a word.
    if (runs.nines == 1 && block_stride == std::ptrdiff_t{9} * kBlockLanes) {
      for (WordVector& sum : left) sum = start;
      const std::uint64_t* weights = kernel;
      opaque(weights);  // 72 vectors do not fit the registers
      for (int i = 0; i < 9; ++i) {
        const auto activation = hn::Set(d, runs.runs[i / 3].activations[offset + i % 3]);
        for (int b = 0; b < kBlocks; ++b) {
          const auto weight = hn::Load(d, weights + std::ptrdiff_t{b * 9 + i} * kBlockLanes);
          left[b] = hn::Sub(left[b], count_bits(hn::Xor(activation, weight)));
        }
      }
      return;
    }
  }
  [[maybe_unused]] const bool at_once = runs.words <= kWordsPerFlush;
  [[maybe_unused]] int room = kWordsPerFlush;
  Counts sums[kVectors];
  for (int v = 0; v < kVectors; ++v) {
    if constexpr (kByteCounts) {
      sums[v] = hn::Zero(CountTag());
    } else {
      sums[v] = start;
    }
  }
  for (int v = 0; v < kVectors; ++v) left[v] = start;
  const Run* const end = runs.runs + runs.count;
  for (const Run* run = runs.runs; run != end; ++run) {
    const std::uint64_t* pixel = run->activations + offset;
    const std::uint64_t* weights = kernel + run->kernel;
    for (int pixels = run->pixels; pixels > 0; --pixels, pixel += run->stride) {
      const std::uint64_t* activations = pixel;
      int words = run->words;
      if constexpr (kByteCounts) {
        while (!at_once && words >= room) {
          count_words<kBlocks>(activations, weights, room, block_stride, sums);
          activations += room;
          weights += std::ptrdiff_t{room} * kBlockLanes;
          words -= room;
          room = kWordsPerFlush;
          for (int v = 0; v < kVectors; ++v) {
            left[v] = hn::Sub(left[v], totals(sums[v]));
            sums[v] = hn::Zero(CountTag());
          }
        }
        room -= words;
      }
      count_words<kBlocks>(activations, weights, words, block_stride, sums);
      weights += std::ptrdiff_t{words} * kBlockLanes;
    }
  }
  for (int v = 0; v < kVectors; ++v) {
    if constexpr (kByteCounts) {
      left[v] = hn::Sub(left[v], totals(sums[v]));
    } else {
      left[v] = sums[v];
    }
  }
}

#endif

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
