// Names of the random streams of a training, the second part of each bittern::Random's name.
#pragma once

#include <cstdint>

namespace bittern::training {

inline constexpr std::uint64_t kInitialStream = 1;  // (seed, 1, layer): a layer's kernel
inline constexpr std::uint64_t kShuffleStream = 2;  // (seed, 2, epoch): the order of clips
inline constexpr std::uint64_t kAugmentStream = 3;  // (seed, 3, epoch, clip): a clip's variation
inline constexpr std::uint64_t kMixupStream = 4;    // (seed, 4, epoch, batch): who is mixed with whom

}  // namespace bittern::training
