#include "core/sample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace bittern {
namespace {

TEST(NotFinite, IsFoundFirst) {
  std::vector<float> samples(10, std::numeric_limits<float>::max());
  EXPECT_FALSE(first_not_finite(samples).has_value());
  samples[7] = std::numeric_limits<float>::quiet_NaN();
  samples[8] = -std::numeric_limits<float>::infinity();
  EXPECT_EQ(first_not_finite(samples), 7U);
  samples[2] = std::numeric_limits<float>::infinity();
  EXPECT_EQ(first_not_finite(samples), 2U);
  EXPECT_FALSE(first_not_finite({}).has_value());
}

TEST(Beyond, IsEitherSideOfTheLimitOrNotANumber) {
  EXPECT_FALSE(first_beyond(std::vector<float>{1, -1, 0}, 1).has_value());
  EXPECT_EQ(first_beyond(std::vector<float>{1, -1.001F, 2}, 1), 1U);
  EXPECT_EQ(first_beyond(std::vector<float>{0, std::numeric_limits<float>::quiet_NaN()}, 1), 1U);
  EXPECT_EQ(first_beyond(std::vector<float>{0, -std::numeric_limits<float>::quiet_NaN()}, 1), 1U);
}

TEST(Beyond, IsFoundWhereverItLies) {
  for (const std::size_t size : {1U, 255U, 256U, 257U, 1000U}) {
    for (std::size_t at = 0; at < size; ++at) {
      std::vector<float> samples(size, -kMaxSample);
      samples[at] = std::nextafter(kMaxSample, 2 * kMaxSample);
      samples.back() = at + 1 == size ? samples.back() : -2 * kMaxSample;
      EXPECT_EQ(first_beyond(samples, kMaxSample), at);
    }
  }
}

}  // namespace
}  // namespace bittern
