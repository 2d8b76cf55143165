// Limits on what a file may hold beside the network (whose limits are in graph/network.h).
// docs/model-format.md lists them; the reader checks each before it allocates.
#pragma once

#include <cstddef>

namespace bittern::model {

inline constexpr std::size_t kMaxNameBytes = 256;  // of a layer, a label, an operating point, a rule
inline constexpr std::size_t kMaxTextBytes = std::size_t{1} << 20U;  // of any other text
inline constexpr std::size_t kMaxOperatingPoints = 64;
inline constexpr float kLeastTemperature = 1e-3F;
inline constexpr float kMostTemperature = 1e3F;

}  // namespace bittern::model
