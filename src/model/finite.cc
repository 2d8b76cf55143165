#include "model/finite.h"

#include <algorithm>
#include <bit>
#include <cstdint>

namespace bittern::model {

// Without a branch in the loop, so that it runs over many values at a time.
bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t kMagnitude = 0x7FFFFFFFU, kInfinity = 0x7F800000U;
  std::uint32_t largest = 0;
  for (const float x : values) largest = std::max(largest, std::bit_cast<std::uint32_t>(x) & kMagnitude);
  return largest < kInfinity;
}

}  // namespace bittern::model
