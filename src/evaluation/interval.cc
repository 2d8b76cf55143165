#include "evaluation/interval.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/random.h"

namespace bittern::evaluation {
namespace {

constexpr double kZ = 1.959963984540054;  // 97.5 % of the normal distribution lies below
constexpr std::size_t kResamples = 2000;
constexpr std::uint64_t kSeed = 0xB1773;

struct Group {
  std::size_t right = 0;
  std::size_t clips = 0;
};

std::vector<Group> count_groups(std::span<const std::uint8_t> right, std::span<const std::uint32_t> groups) {
  std::map<std::uint32_t, Group> counted;
  for (std::size_t i = 0; i < right.size(); ++i) {
    Group& group = counted[groups[i]];
    group.clips += 1;
    group.right += right[i] != 0 ? 1 : 0;
  }
  std::vector<Group> list;
  list.reserve(counted.size());
  for (const auto& [_, group] : counted) list.push_back(group);
  return list;
}

}  // namespace

Proportion wilson(std::size_t right, std::size_t clips) {
  if (clips == 0) return {std::numeric_limits<double>::quiet_NaN(), 0, 1, 0};
  const auto n = static_cast<double>(clips);
  const auto k = static_cast<double>(right);
  const double centre = (k + kZ * kZ / 2) / (n + kZ * kZ);
  const double half = kZ / (n + kZ * kZ) * std::sqrt(k * (n - k) / n + kZ * kZ / 4);
  // Rounding must not push the ends past the value where all or none are right.
  const double value = k / n;
  return {value, std::clamp(centre - half, 0.0, value), std::clamp(centre + half, value, 1.0), clips};
}

std::vector<std::uint32_t> group_by_speaker(std::span<const std::string> speakers) {
  std::map<std::string, std::uint32_t> known;
  std::vector<std::uint32_t> groups;
  groups.reserve(speakers.size());
  std::uint32_t next = 0;
  for (const std::string& speaker : speakers) {
    if (speaker.empty()) {
      groups.push_back(next++);
      continue;
    }
    const auto [place, added] = known.try_emplace(speaker, next);
    if (added) ++next;
    groups.push_back(place->second);
  }
  return groups;
}

std::vector<std::uint8_t> known_speakers(std::span<const std::string> speakers) {
  std::vector<std::uint8_t> known;
  known.reserve(speakers.size());
  for (const std::string& speaker : speakers) known.push_back(speaker.empty() ? 0 : 1);
  return known;
}

Proportion proportion(std::span<const std::uint8_t> right, std::span<const std::uint32_t> groups) {
  const auto total = static_cast<std::size_t>(
      std::count_if(right.begin(), right.end(), [](std::uint8_t one) { return one != 0; }));
  Proportion result = wilson(total, right.size());
  const std::vector<Group> counted = count_groups(right, groups);
  if (counted.size() == right.size()) return result;

  std::vector<double> shares(kResamples);
  for (std::size_t r = 0; r < kResamples; ++r) {
    Random random{kSeed, r};
    Group sum;
    for (std::size_t g = 0; g < counted.size(); ++g) {
      const Group& drawn = counted[random.below(counted.size())];
      sum.right += drawn.right;
      sum.clips += drawn.clips;
    }
    shares[r] = static_cast<double>(sum.right) / static_cast<double>(sum.clips);
  }
  std::sort(shares.begin(), shares.end());
  constexpr std::size_t kTail = kResamples / 40;
  result.low = std::min(result.low, shares[kTail]);
  result.high = std::max(result.high, shares[kResamples - 1 - kTail]);
  return result;
}

}  // namespace bittern::evaluation
