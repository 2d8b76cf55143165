#include "core/sample.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

namespace bittern {
namespace {

// Ordered as magnitudes are, NaN above them all.
std::int32_t magnitude(float value) { return std::bit_cast<std::int32_t>(value) & 0x7FFFFFFF; }

}  // namespace

std::optional<std::size_t> first_beyond(std::span<const float> values, float limit) noexcept {
  constexpr std::size_t kBlock = 256;  // without a branch for each, which compilers make vectors of
  const std::int32_t most = magnitude(limit);
  for (std::size_t begin = 0; begin < values.size(); begin += kBlock) {
    const auto block = values.subspan(begin, std::min(kBlock, values.size() - begin));
    std::int32_t largest = 0;
    for (const float value : block) largest = std::max(largest, magnitude(value));
    if (largest <= most) continue;
    const auto beyond = [most](float value) { return magnitude(value) > most; };
    return begin + static_cast<std::size_t>(std::find_if(block.begin(), block.end(), beyond) - block.begin());
  }
  return std::nullopt;
}

std::optional<std::size_t> first_not_finite(std::span<const float> values) noexcept {
  return first_beyond(values, std::numeric_limits<float>::max());
}

}  // namespace bittern
