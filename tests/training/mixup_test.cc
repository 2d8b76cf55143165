#include "training/mixup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace bittern::training {
namespace {

TEST(Mixup, IsASumOfTwoClips) {
  Random random{1};
  constexpr int kClips = 7;
  constexpr int kLength = 11;
  std::vector<float> features(kClips * kLength);
  for (float& value : features) value = random.uniform(-5, 5);
  const std::vector<float> before = features;
  const MixupPlan plan = plan_mixup(kClips, 0.5, random);
  mix(features, plan);
  for (int clip = 0; clip < kClips; ++clip) {
    const auto c = static_cast<std::size_t>(clip);
    for (std::size_t i = 0; i < kLength; ++i) {
      const float other = before[static_cast<std::size_t>(plan.partners[c]) * kLength + i];
      EXPECT_EQ(features[c * kLength + i],
                plan.shares[c] * before[c * kLength + i] + (1 - plan.shares[c]) * other);
    }
  }
  std::vector<int> sorted = plan.partners;
  std::sort(sorted.begin(), sorted.end());
  for (int clip = 0; clip < kClips; ++clip) EXPECT_EQ(sorted[static_cast<std::size_t>(clip)], clip);
}

// Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2 a + 1)).
TEST(Mixup, DrawsItsSharesFromABetaDistribution) {
  for (const double alpha : {0.05, 0.2, 0.5, 1.0}) {
    Random random{7};
    constexpr int kDraws = 20000;
    const MixupPlan plan = plan_mixup(kDraws, alpha, random);
    double mean = 0;
    double square = 0;
    for (const float share : plan.shares) {
      ASSERT_GE(share, 0.0F);
      ASSERT_LE(share, 1.0F);
      mean += double{share} / kDraws;
      square += double{share} * share / kDraws;
    }
    EXPECT_NEAR(mean, 0.5, 0.015) << alpha;  // 4 standard errors at most
    EXPECT_NEAR(square - mean * mean, 1 / (4 * (2 * alpha + 1)), 0.006) << alpha;
  }
}

}  // namespace
}  // namespace bittern::training
