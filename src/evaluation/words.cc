#include "evaluation/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace bittern::evaluation {

std::string percent(double share) { return fmt::format("{:.1f} %", share * 100); }

std::string percent(const Proportion& proportion) {
  return proportion.clips == 0 ? std::string("-") : percent(proportion.value);
}

std::string interval(const Proportion& proportion) {
  if (proportion.clips == 0) return "-";
  return fmt::format("{:.1f} to {:.1f} %", proportion.low * 100, proportion.high * 100);
}

std::string thresholds(const PointRow& point) {
  const std::size_t early = std::max<std::size_t>(point.thresholds.size(), 1) - 1;
  return fmt::format("{}", fmt::join(std::span(point.thresholds).first(early), " "));
}

}  // namespace bittern::evaluation
