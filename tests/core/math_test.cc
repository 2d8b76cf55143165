#include "core/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

namespace bittern {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// The spacing of floats in the binade of `reference`.
double ulp(double reference) {
  int exponent = 0;
  std::frexp(reference, &exponent);
  return std::ldexp(1.0, std::max(exponent - 24, -149));
}

// About four million floats, every exponent and sign among them; the step is prime.
template <class Visit>
void for_many_floats(Visit visit) {
  for (std::uint64_t bits = 0; bits <= 0xFFFFFFFFU; bits += 1021) {
    visit(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
}

TEST(Math, LogIsWithinOneUlpForEveryPositiveFloat) {
  double worst = 0;
  float where = 0;
  int seen = 0;
  for_many_floats([&](float x) {
    if (!(x > 0) || std::isinf(x)) return;
    const double reference = std::log(static_cast<double>(x));
    const double error = std::abs(static_cast<double>(math::log(x)) - reference) / ulp(reference);
    if (!(error <= worst)) worst = error, where = x;
    ++seen;
  });
  EXPECT_GT(seen, 2'000'000);
  EXPECT_LT(worst, 1.0) << "at " << where;
  EXPECT_GT(worst, 0.5);  // else the measurement is broken: no float function is better than this
}

TEST(Math, LogNearOneKeepsItsRelativeAccuracy) {
  for (std::uint32_t bits = 0x3F7F0000; bits < 0x3F810000; ++bits) {
    const auto x = std::bit_cast<float>(bits);
    const double reference = std::log(static_cast<double>(x));
    ASSERT_LE(std::abs(static_cast<double>(math::log(x)) - reference), ulp(reference)) << x;
  }
}

TEST(Math, LogOfSpecialValues) {
  EXPECT_EQ(math::log(1.0F), 0.0F);
  EXPECT_EQ(math::log(0.0F), -kInfinity);
  EXPECT_EQ(math::log(-0.0F), -kInfinity);
  EXPECT_EQ(math::log(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(math::log(-1e-45F)));
  EXPECT_TRUE(std::isnan(math::log(-1.0F)));
  EXPECT_TRUE(std::isnan(math::log(-kInfinity)));
  EXPECT_TRUE(std::isnan(math::log(kNaN)));
  EXPECT_NEAR(math::log(0x1p-149F), -103.2789, 1e-4);  // the smallest float of all
  EXPECT_NEAR(math::log(std::numeric_limits<float>::max()), 88.7228, 1e-4);
}

TEST(Math, ExpIsWithinOneUlpWhereTheResultIsNormal) {
  double worst = 0;
  float where = 0;
  int seen = 0;
  for_many_floats([&](float x) {
    const double reference = std::exp(static_cast<double>(x));
    if (!(reference >= 0x1p-126) || reference > static_cast<double>(std::numeric_limits<float>::max()))
      return;
    const double error = std::abs(static_cast<double>(math::exp(x)) - reference) / ulp(reference);
    if (!(error <= worst)) worst = error, where = x;
    ++seen;
  });
  EXPECT_GT(seen, 1'000'000);
  EXPECT_LT(worst, 1.0) << "at " << where;
  EXPECT_GT(worst, 0.5);
}

TEST(Math, ExpOfEveryKindOfArgumentOutsideItsRange) {
  for_many_floats([](float x) {
    const double reference = std::exp(static_cast<double>(x));
    if (std::isnan(x)) {
      ASSERT_TRUE(std::isnan(math::exp(x)));
    } else if (reference < 0x1p-126) {
      ASSERT_EQ(math::exp(x), 0.0F) << x;
    } else if (reference >= 0x1p128) {
      ASSERT_EQ(math::exp(x), kInfinity) << x;
    }
  });
}

TEST(Math, ExpAtItsBorders) {
  using C = math::ExpConstants;
  EXPECT_EQ(math::exp(0.0F), 1.0F);
  EXPECT_EQ(math::exp(-0.0F), 1.0F);
  EXPECT_LT(math::exp(C::kHighest), kInfinity);
  EXPECT_EQ(math::exp(std::nextafter(C::kHighest, kInfinity)), kInfinity);
  EXPECT_GE(math::exp(C::kLowest), std::numeric_limits<float>::min());
  EXPECT_EQ(math::exp(std::nextafter(C::kLowest, -kInfinity)), 0.0F);
  EXPECT_EQ(math::exp(-kInfinity), 0.0F);
  EXPECT_EQ(math::exp(kInfinity), kInfinity);
  EXPECT_TRUE(std::isnan(math::exp(kNaN)));
}

// A hash over many results: one number, the same on every machine.
TEST(Math, BitsAreThoseOfEveryOtherMachine) {
  constexpr auto kBits = [](float x) { return std::bit_cast<std::uint32_t>(x); };
  static_assert(math::log(1.0F) == 0.0F && math::exp(0.0F) == 1.0F);  // evaluated by the compiler, too
  std::uint32_t logs = 0, exps = 0;
  for (int i = 1; i < 100'000; ++i) {
    const float x = static_cast<float>(i) * 0x1p-10F;
    logs = logs * 31U + kBits(math::log(x));
    exps = exps * 31U + kBits(math::exp(x - 50.0F));
  }
  EXPECT_EQ(logs, 1642940563U);
  EXPECT_EQ(exps, 472457676U);
}

}  // namespace
}  // namespace bittern
