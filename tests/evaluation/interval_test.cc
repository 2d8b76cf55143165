#include "evaluation/interval.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"

namespace bittern::evaluation {
namespace {

// The interval's ends are by definition the p at which |k / n - p| = z sqrt(p (1 - p) / n).
TEST(Wilson, EndsSolveTheScoreEquation) {
  constexpr double kZ = 1.959963984540054;
  for (const auto& [k, n] : {std::pair<std::size_t, std::size_t>{30, 36}, {1, 7}, {500, 687}, {5, 10}}) {
    const Proportion p = wilson(k, n);
    EXPECT_DOUBLE_EQ(p.value, static_cast<double>(k) / static_cast<double>(n));
    for (const double end : {p.low, p.high})
      EXPECT_NEAR(std::abs(p.value - end), kZ * std::sqrt(end * (1 - end) / static_cast<double>(n)), 1e-12);
    EXPECT_LT(p.low, p.value);
    EXPECT_GT(p.high, p.value);
  }
}

TEST(Wilson, NeverClaimsCertainty) {
  EXPECT_EQ(wilson(36, 36).high, 1.0);
  EXPECT_NEAR(wilson(36, 36).low, 0.9036, 5e-5);  // n / (n + z^2)
  EXPECT_EQ(wilson(0, 36).low, 0.0);
  EXPECT_NEAR(wilson(0, 36).high, 1 - 0.9036, 5e-5);
}

TEST(Wilson, WithoutClipsNothingIsKnown) {
  const Proportion p = wilson(0, 0);
  EXPECT_TRUE(std::isnan(p.value));
  EXPECT_EQ(p.low, 0.0);
  EXPECT_EQ(p.high, 1.0);
  EXPECT_EQ(p.clips, 0U);
}

TEST(GroupBySpeaker, UnknownSpeakersAreGroupsOfTheirOwn) {
  const std::vector<std::string> speakers{"a", "", "b", "a", "", "b"};
  const std::vector<std::uint32_t> groups = group_by_speaker(speakers);
  EXPECT_EQ(groups[0], groups[3]);
  EXPECT_EQ(groups[2], groups[5]);
  EXPECT_NE(groups[0], groups[2]);
  EXPECT_NE(groups[1], groups[4]);
  EXPECT_NE(groups[1], groups[0]);
  EXPECT_NE(groups[1], groups[2]);
}

TEST(Proportion, OfSingleClipsIsWilson) {
  std::vector<std::uint8_t> right(50);
  std::vector<std::uint32_t> groups(50);
  for (std::size_t i = 0; i < 50; ++i) {
    right[i] = i % 3 == 0 ? 1 : 0;
    groups[i] = static_cast<std::uint32_t>(i);
  }
  const Proportion p = proportion(right, groups), q = wilson(17, 50);
  EXPECT_EQ(p.value, q.value);
  EXPECT_EQ(p.low, q.low);
  EXPECT_EQ(p.high, q.high);
}

// Forty speakers of ten clips who are either always or never right are forty observations, not four hundred:
// the standard error is that of forty.
TEST(Proportion, SpeakersWhoStandOrFallTogetherCountOnce) {
  std::vector<std::uint8_t> right;
  std::vector<std::uint32_t> groups;
  for (std::uint32_t speaker = 0; speaker < 40; ++speaker)
    for (int clip = 0; clip < 10; ++clip) {
      right.push_back(speaker % 4 != 0 ? 1 : 0);
      groups.push_back(speaker);
    }
  const Proportion p = proportion(right, groups);
  const double wanted = 2 * 1.96 * std::sqrt(0.75 * 0.25 / 40);
  EXPECT_DOUBLE_EQ(p.value, 0.75);
  EXPECT_EQ(p.clips, 400U);
  EXPECT_NEAR(p.high - p.low, wanted, 0.1 * wanted);
}

TEST(Proportion, IsNeverNarrowerThanWilsonAndAlwaysTheSame) {
  Random random{3};
  std::vector<std::uint8_t> right(120);
  std::vector<std::uint32_t> groups(120);
  for (std::size_t i = 0; i < right.size(); ++i) {
    right[i] = random.uniform() < 0.9F ? 1 : 0;
    groups[i] = static_cast<std::uint32_t>(random.below(30));
  }
  const Proportion first = proportion(right, groups), second = proportion(right, groups);
  EXPECT_EQ(first.low, second.low);
  EXPECT_EQ(first.high, second.high);
  const auto k = static_cast<std::size_t>(std::count(right.begin(), right.end(), 1));
  EXPECT_LE(first.low, wilson(k, right.size()).low);
  EXPECT_GE(first.high, wilson(k, right.size()).high);
  std::fill(right.begin(), right.end(), std::uint8_t{1});
  EXPECT_LT(proportion(right, groups).low, 1.0);
}

}  // namespace
}  // namespace bittern::evaluation
