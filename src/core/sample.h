// What a sample, or another float from outside, may be.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

namespace bittern {

// Samples are refused above this: 60 dB over full scale is no recording, but integers nobody scaled.
inline constexpr float kMaxSample = 1024.0F;

// The position of the first value that is NaN or beyond +-limit, which is positive and finite.
std::optional<std::size_t> first_beyond(std::span<const float> values, float limit) noexcept;
// The position of the first NaN or infinity.
std::optional<std::size_t> first_not_finite(std::span<const float> values) noexcept;

}  // namespace bittern
