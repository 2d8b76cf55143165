#include "exits/threshold.h"

#include <array>
#include <charconv>
#include <limits>

namespace bittern::exits {

std::string decimal(float value) {
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value);
  return {text.data(), end.ptr};
}

Status check_range(std::string_view rule, float threshold, float low, float high) {
  if (threshold >= low && threshold <= high) return {};  // false for NaN
  const std::string range = high == std::numeric_limits<float>::max()
                                ? decimal(low) + " or more"
                                : "a number from " + decimal(low) + " to " + decimal(high);
  return invalid_argument("the threshold of rule '" + std::string(rule) + "' is " + decimal(threshold) +
                          "; give " + range);
}

}  // namespace bittern::exits
