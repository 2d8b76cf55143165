#include "features/double_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace bittern::features {
namespace {

TEST(DoubleMath, UnitCircleIsWithinItsBoundForEveryTwiddleAndWindow) {
  double worst = 0;
  for (const std::uint64_t n : {1, 2, 3, 7, 400, 401, 1024, 1023, 8191, 8192}) {
    for (std::uint64_t k = 0; k < n; ++k) {
      const UnitCirclePoint point = unit_circle(k, n);
      // long double: the reference's own argument must be better than the bound.
      const long double angle =
          2 * std::numbers::pi_v<long double> * static_cast<long double>(k) / static_cast<long double>(n);
      worst = std::max(worst, std::abs(static_cast<double>(std::cos(angle) - point.cosine)));
      worst = std::max(worst, std::abs(static_cast<double>(std::sin(angle) - point.sine)));
    }
  }
  EXPECT_LT(worst, 2e-16);
  EXPECT_GT(worst, 1e-18);
}

TEST(DoubleMath, QuarterTurnsAreExact) {
  for (const std::uint64_t n : {4, 400, 8192}) {
    EXPECT_EQ(unit_circle(0, n).cosine, 1.0);
    EXPECT_EQ(unit_circle(0, n).sine, 0.0);
    EXPECT_EQ(unit_circle(n / 4, n).cosine, 0.0);
    EXPECT_EQ(unit_circle(n / 4, n).sine, 1.0);
    EXPECT_EQ(unit_circle(n / 2, n).cosine, -1.0);
    EXPECT_EQ(unit_circle(n / 2, n).sine, 0.0);
    EXPECT_EQ(unit_circle(3 * n / 4, n).cosine, 0.0);
    EXPECT_EQ(unit_circle(3 * n / 4, n).sine, -1.0);
  }
}

TEST(DoubleMath, LogIsWithinItsBound) {
  double worst = 0;
  const auto check = [&](double x) {
    const auto reference = static_cast<double>(std::log(static_cast<long double>(x)));
    worst = std::max(worst, std::abs(natural_log(x) - reference) / std::max(1.0, std::abs(reference)));
  };
  for (int i = 1; i < 400'000; ++i)
    check(1.0 + i * 0.001);  // frequencies over 700 Hz, up to 280 kHz and above
  for (int e = -1000; e <= 1000; ++e) check(std::ldexp(1.0 + 0.37 * (e % 3), e));
  EXPECT_LT(worst, 4e-16);
  EXPECT_GT(worst, 1e-18);
  EXPECT_EQ(natural_log(1.0), 0.0);
}

TEST(DoubleMath, MelScaleOfKnownFrequencies) {
  EXPECT_EQ(mel_of_hz(0), 0.0);
  EXPECT_NEAR(mel_of_hz(700), 1127 * std::numbers::ln2, 1e-12);
  EXPECT_NEAR(mel_of_hz(1000), 1000, 0.02);  // how the scale was made
}

}  // namespace
}  // namespace bittern::features
