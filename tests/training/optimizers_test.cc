#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <vector>

#include "core/random.h"
#include "training/adam.h"
#include "training/bop.h"
#include "training/schedule.h"

namespace bittern::training {
namespace {

// Numbers by hand: gamma 0.5, threshold 0.25.
TEST(Bop, FlipsOnlyWhereTheAveragePushesAgainstTheWeightForLongEnough) {
  std::vector<float> weights{1, 1, -1, -1, 1};
  std::vector<float> averages{0, 0, 0, 0, 0.5F};
  const std::vector<float> gradients{1, -1, 1, -1, 0};
  bop_step(weights, gradients, averages, 0.5F, 0.25F);
  EXPECT_EQ(averages, (std::vector<float>{0.5F, -0.5F, 0.5F, -0.5F, 0.25F}));
  // w m = 0.5 flips; -0.5 stays; -0.5 stays; 0.5 flips; 0.25 equals the threshold and becomes +1.
  EXPECT_EQ(weights, (std::vector<float>{-1, 1, -1, 1, 1}));
}

TEST(Bop, AWeightAtExactlyTheThresholdBecomesPlusOne) {
  std::vector<float> weights{-1};
  std::vector<float> averages{-0.5F};
  bop_step(weights, std::vector<float>{0}, averages, 0.5F, 0.25F);
  EXPECT_EQ(averages[0], -0.25F);  // w m = 0.25 = threshold
  EXPECT_EQ(weights[0], 1);
}

TEST(Bop, ALatentWeightActsByItsMagnitudeOnceAndIsBinaryAfterwards) {
  std::vector<float> weights{0.25F, 2.0F};
  std::vector<float> averages{0, 0};
  bop_step(weights, std::vector<float>{1, 1}, averages, 0.5F, 0.25F);
  // w m = 0.125 stays, w m = 1 flips.
  EXPECT_EQ(weights, (std::vector<float>{1, -1}));
}

TEST(Adam, FollowsItsFormulasOverManySteps) {
  const AdamSettings settings{.learning_rate = 0.01};
  std::vector<float> weights{0.5F}, first{0}, second{0};
  double w = 0.5, m = 0, v = 0;
  Random random{7};
  for (int step = 1; step <= 50; ++step) {
    const float gradient = random.uniform(-1, 1);
    adam_step(weights, std::vector<float>{gradient}, first, second, settings, step);
    m = 0.9 * m + 0.1 * gradient;
    v = 0.999 * v + 0.001 * gradient * gradient;
    w -= 0.01 * (m / (1 - std::pow(0.9, step))) / (std::sqrt(v / (1 - std::pow(0.999, step))) + 1e-8);
    ASSERT_NEAR(weights[0], w, 1e-5) << "step " << step;
  }
}

TEST(Adam, LatentWeightsStayWithinTheirLimit) {
  std::vector<float> weights{-3, -1.25F, 0.5F, 1.5F};
  clip_weights(weights, 1.25F);
  EXPECT_EQ(weights, (std::vector<float>{-1.25F, -1.25F, 0.5F, 1.25F}));
}

TEST(Schedule, CosineFallsFromStartToEndAndConstantStays) {
  EXPECT_DOUBLE_EQ(rate_at(Schedule::kCosine, 1e-4, 5e-6, 0, 100), 1e-4);
  EXPECT_NEAR(rate_at(Schedule::kCosine, 1e-4, 5e-6, 100, 100), 5e-6, 1e-18);
  EXPECT_NEAR(rate_at(Schedule::kCosine, 2, 0, 25, 100), 1 + std::cos(std::numbers::pi / 4), 1e-12);
  EXPECT_DOUBLE_EQ(rate_at(Schedule::kConstant, 0.3, 0, 99, 100), 0.3);
}

TEST(Schedule, AWarmUpRisesToTheStartAndLeavesTheRestToTheSchedule) {
  for (const Schedule schedule : {Schedule::kConstant, Schedule::kCosine}) {
    double before = 0;
    for (std::int64_t step = 0; step <= 10; ++step) {
      const double rate = rate_at(schedule, 0.2, 0.01, step, 110, 10);
      EXPECT_NEAR(rate - before, 0.2 / 11, 1e-15) << step;
      before = rate;
    }
    EXPECT_DOUBLE_EQ(before, 0.2);
    for (std::int64_t step = 0; step <= 100; ++step)
      EXPECT_EQ(rate_at(schedule, 0.2, 0.01, 10 + step, 110, 10), rate_at(schedule, 0.2, 0.01, step, 100));
  }
  // No steps but those of the warm-up.
  EXPECT_DOUBLE_EQ(rate_at(Schedule::kCosine, 1, 0, 4, 4, 4), 1);
}

}  // namespace
}  // namespace bittern::training
