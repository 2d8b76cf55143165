#include "evaluation/words.h"

#include <gtest/gtest.h>

namespace bittern::evaluation {
namespace {

TEST(Words, SaysNothingOfNoClips) {
  EXPECT_EQ(percent(0.123456), "12.3 %");
  EXPECT_EQ(percent(Proportion{0.9, 0.85, 1, 20}), "90.0 %");
  EXPECT_EQ(interval(Proportion{0.9, 0.85, 1, 20}), "85.0 to 100.0 %");
  EXPECT_EQ(percent(wilson(0, 0)), "-");
  EXPECT_EQ(interval(wilson(0, 0)), "-");
}

TEST(Words, LeavesOutTheLastExitsThreshold) {
  PointRow point;
  EXPECT_EQ(thresholds(point), "");
  point.thresholds = {0.1F, 2.0F, 0.0F};
  EXPECT_EQ(thresholds(point), "0.1 2");
}

}  // namespace
}  // namespace bittern::evaluation
