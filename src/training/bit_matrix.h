// Squares of bits.
#pragma once

#include <array>
#include <cstdint>

#include "core/bits.h"

namespace bittern::training {

// Bit i of word k becomes bit k of word i. In each round the squares of half the size off the diagonal change
// places (H. Warren, Hacker's Delight, section 7-3).
inline void transpose_bits(std::array<std::uint64_t, kWordBits>& words) {
  std::uint64_t low = 0xFFFFFFFF;
  for (std::size_t half = kWordBits / 2; half > 0; half /= 2, low ^= low << half) {
    for (std::size_t k = 0; k < kWordBits; k = ((k | half) + 1) & ~half) {
      const std::uint64_t moved = ((words[k] >> half) ^ words[k | half]) & low;
      words[k] ^= moved << half;
      words[k | half] ^= moved;
    }
  }
}

}  // namespace bittern::training
