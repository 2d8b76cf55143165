// What a sample may be.
#pragma once

namespace bittern {

// Samples are refused above this: 60 dB over full scale is no recording, but integers nobody scaled.
inline constexpr float kMaxSample = 1024.0F;

}  // namespace bittern
