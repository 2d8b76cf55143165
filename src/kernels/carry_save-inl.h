// Counts differing bits with few popcounts: for AVX-512 without VPOPCNTDQ, where a popcount takes six
// instructions but an adder of three bits only two. Vectors of one weight are added bit by bit before any is
// counted (Harley and Seal's counter; W. Mula, N. Kurz, D. Lemire, "Faster Population Counts Using AVX2
// Instructions", 2016):
//
//      x0 x1 -+            x2 x3 -+             x4 .. x7
//      ones --+--> ones ----------+--> ones ..             each + adds three: the sum goes right, the carry
//             |                   |                        down
//      twos --+-------------------+--> twos ..
//                                 |
//      fours ---------------------+--> fours ..  --> eights, which alone are counted each time, per byte
//
// AVX2, whose adder takes five instructions, was no faster in this way.
#if defined(BITTERN_KERNELS_CARRY_SAVE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_CARRY_SAVE_INL_H
#undef BITTERN_KERNELS_CARRY_SAVE_INL_H
#else
#define BITTERN_KERNELS_CARRY_SAVE_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "hwy/highway.h"
#include "kernels/count_bits-inl.h"

#if HWY_TARGET == HWY_AVX3

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// sum becomes the lowest bit of a + b + sum, for each bit; the other one comes back.
HWY_INLINE WordVector full_add(WordVector a, WordVector b, WordVector& sum) {
  const WordVector carry{_mm512_ternarylogic_epi64(a.raw, b.raw, sum.raw, 0xE8)};  // majority
  sum = WordVector{_mm512_ternarylogic_epi64(a.raw, b.raw, sum.raw, 0x96)};        // parity
  return carry;
}

// 2 * high + low, per byte.
HWY_INLINE Counts twice_and(Counts high, Counts low) { return hn::Add(hn::Add(high, high), low); }

// Sums of bits by their weight.
struct CarrySave {
  WordVector ones;
  WordVector twos;
  WordVector fours;

  // Adds four vectors; what comes back weighs four.
  HWY_INLINE WordVector add_four(WordVector a, WordVector b, WordVector c, WordVector d) {
    const WordVector first = full_add(a, b, ones);
    const WordVector second = full_add(c, d, ones);
    return full_add(first, second, twos);
  }
  // Adds bits(0) .. bits(7); what comes back weighs eight.
  template <class Bits>
  HWY_INLINE WordVector add_eight(const Bits& bits) {
    const WordVector first = add_four(bits(0), bits(1), bits(2), bits(3));
    const WordVector second = add_four(bits(4), bits(5), bits(6), bits(7));
    return full_add(first, second, fours);
  }
  // Per byte, at most 7 * 8.
  HWY_INLINE Counts counts() const {
    return twice_and(twice_and(count_bits(fours), count_bits(twos)), count_bits(ones));
  }
};

// from - differing bits, per lane of the block at `weights`.
HWY_INLINE WordVector count_down_block(WordVector from, const Runs& runs, std::ptrdiff_t offset,
                                       const std::uint64_t* weights) {
  const WordTag d;
  WordVector left = from;
  CarrySave sums{hn::Zero(d), hn::Zero(d), hn::Zero(d)};
  Counts eights = hn::Zero(CountTag());
  Counts rest = hn::Zero(CountTag());  // bits that are in neither `sums` nor `eights`
  int room = kWordsPerFlush;  // of additions to eights, of words in `rest`; and what counts() needs, 7 words
  const auto flush = [&]() HWY_ATTR {
    left = hn::Sub(left, hn::Add(totals(rest), hn::ShiftLeft<3>(totals(eights))));
    eights = rest = hn::Zero(CountTag());
    room = kWordsPerFlush;
  };
  const Run* const end = runs.runs + runs.count;
  for (const Run* run = runs.runs; run != end; ++run) {
    const std::uint64_t* pixel = run->activations + offset;
    const std::uint64_t* w = weights + run->kernel;
    for (int pixels = run->pixels; pixels > 0; --pixels, pixel += run->stride) {
      const std::uint64_t* a = pixel;
      const auto bits = [&](int word) HWY_ATTR {
        return hn::Xor(hn::Set(d, a[word]), hn::Load(d, w + std::ptrdiff_t{word} * kBlockLanes));
      };
      const auto advance = [&](int words) HWY_ATTR {
        a += words;
        w += std::ptrdiff_t{words} * kBlockLanes;
      };
      for (int words = run->words; words >= 8; words -= 8, advance(8)) {
        eights = hn::Add(eights, count_bits(sums.add_eight(bits)));
        if (--room < 8) flush();
      }
      const int few = run->words % 8;
      if ((few & 4) != 0) {
        const auto fours = count_bits(sums.add_four(bits(0), bits(1), bits(2), bits(3)));
        const auto pairs = hn::Add(fours, fours);
        rest = twice_and(pairs, rest);
        advance(4);
      }
      if ((few & 2) != 0) {
        rest = twice_and(count_bits(full_add(bits(0), bits(1), sums.ones)), rest);
        advance(2);
      }
      if ((few & 1) != 0) {
        rest = hn::Add(rest, count_bits(bits(0)));
        advance(1);
      }
      room -= few;
      if (room < 8) flush();
    }
  }
  rest = hn::Add(rest, sums.counts());
  flush();
  return left;
}

// Per byte, the bits set in bits(0) .. bits(8).
template <class Bits>
HWY_INLINE Counts count_nine(const Bits& bits) {
  WordVector ones = bits(0);
  WordVector twos = full_add(bits(1), bits(2), ones);
  const WordVector second = full_add(bits(3), bits(4), ones);
  const WordVector third = full_add(bits(5), bits(6), ones);
  const WordVector fourth = full_add(bits(7), bits(8), ones);
  const Counts fours = count_bits(full_add(second, third, twos));
  return twice_and(twice_and(fours, hn::Add(count_bits(twos), count_bits(fourth))), count_bits(ones));
}

// left[b] -= differing bits, by nines, whose activations stay in registers for all blocks.
HWY_INLINE void count_down_nines(const Runs& runs, std::ptrdiff_t offset, const std::uint64_t* kernel,
                                 std::ptrdiff_t block_stride, WordVector* left, int blocks) {
  const WordTag d;
  const std::ptrdiff_t rows[] = {runs.runs[0].kernel, runs.runs[1].kernel, runs.runs[2].kernel};
  for (int i = 0; i < 3 * runs.nines; i += 3) {
    WordVector activations[9];
    for (int word = 0; word < 9; ++word)
      activations[word] = hn::Set(d, runs.runs[word / 3].activations[offset + i + word % 3]);
    const std::uint64_t* weights = kernel + std::ptrdiff_t{i} * kBlockLanes;
    for (int block = 0; block < blocks; ++block, weights += block_stride) {
      const auto bits = [&](int word) HWY_ATTR {
        const std::ptrdiff_t column = std::ptrdiff_t{word % 3} * kBlockLanes;
        return hn::Xor(activations[word], hn::Load(d, weights + rows[word / 3] + column));
      };
      left[block] = hn::Sub(left[block], totals(count_nine(bits)));
    }
  }
}

// One copy for tiles of every size. By nines what is short: the sums of longer runs start at zero less often.
HWY_NOINLINE void count_down_carry_save(std::int64_t from, const Runs& runs, std::ptrdiff_t offset,
                                        const std::uint64_t* kernel, std::ptrdiff_t block_stride,
                                        WordVector* left, int blocks) {
  constexpr int kMostNines = 3;
  const auto start = hn::Set(WordTag(), static_cast<std::uint64_t>(from));
  if (runs.nines > 0 && runs.nines <= kMostNines) {
    for (int block = 0; block < blocks; ++block) left[block] = start;
    count_down_nines(runs, offset, kernel, block_stride, left, blocks);
  } else {
    for (int block = 0; block < blocks; ++block, kernel += block_stride)
      left[block] = count_down_block(start, runs, offset, kernel);
  }
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // AVX-512 without VPOPCNTDQ

#endif  // per target
