#include "core/bits.h"

namespace bittern {

void count_tap_bits(const std::uint64_t* packed, int outputs, int taps, int inputs, std::int16_t* counts) {
  const int blocks = blocks_for(outputs);
  for (int block = 0; block < blocks; ++block) {
    for (int tap = 0; tap < taps; ++tap) {
      int sums[kBlockLanes] = {};
      for (int word = 0; word < words_for(inputs); ++word) {
        for (int& sum : sums) sum += std::popcount(*packed++);
      }
      std::int16_t* const to = counts + (std::ptrdiff_t{tap} * blocks + block) * kBlockLanes;
      for (int lane = 0; lane < kBlockLanes; ++lane) to[lane] = static_cast<std::int16_t>(sums[lane]);
    }
  }
}

}  // namespace bittern
