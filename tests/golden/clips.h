// The clips that golden logits are made of, as every machine can read them: 20 recordings of a second, 16-bit
// little-endian samples at 16 kHz, one after another.
#pragma once

#include <cstddef>

namespace bittern::golden {

inline constexpr std::size_t kClips = 20;
inline constexpr std::size_t kSamples = 16000;

}  // namespace bittern::golden
