#include "core/math.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <limits>

namespace bittern {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// The spacing of floats in the binade of `reference`.
double ulp(double reference) {
  constexpr std::uint64_t kExponent = 0x7FF0000000000000U;
  const auto binade = std::bit_cast<double>(std::bit_cast<std::uint64_t>(reference) & kExponent);
  return std::max(binade * 0x1p-23, 0x1p-149);
}

// About four million floats, every exponent and sign among them; with BITTERN_ALL_FLOATS=1, as on GitHub, all
// of them, which takes minutes. The step is prime.
const std::uint64_t kStep = std::getenv("BITTERN_ALL_FLOATS") != nullptr ? 1 : 1021;

template <class Visit>
void for_floats(std::uint32_t first, std::uint32_t last, Visit visit) {
  for (std::uint64_t bits = first; bits <= last; bits += kStep) {
    visit(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
  }
}

// e^x in double precision, good to a millionth of a float's spacing.
double exp_reference(float x) {
  const auto d = static_cast<double>(x);
  return std::abs(x) < 0x1p-12F ? 1.0 + d + d * d / 2 + d * d * d / 6 : std::exp(d);
}

TEST(Math, LogIsWithinOneUlpForEveryPositiveFloat) {
  double worst = 0;
  float where = 0;
  std::uint64_t seen = 0;
  for_floats(1, 0x7F7FFFFF, [&](float x) {
    const double reference = std::log(static_cast<double>(x));
    const double error = std::abs(static_cast<double>(math::log(x)) - reference) / ulp(reference);
    ++seen;
    if (!(error <= worst)) worst = error, where = x;
  });
  EXPECT_GE(seen, 0x7F7FFFFFU / kStep);
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
  std::uint64_t seen = 0;
  const auto check = [&](float x) {
    const double reference = exp_reference(x);
    const double error = std::abs(static_cast<double>(math::exp(x)) - reference) / ulp(reference);
    ++seen;
    if (!(error <= worst)) worst = error, where = x;
  };
  const auto highest = std::bit_cast<std::uint32_t>(math::ExpConstants::kHighest);
  const auto lowest = std::bit_cast<std::uint32_t>(math::ExpConstants::kLowest);
  for_floats(0, highest, check);
  for_floats(0x80000000U, lowest, check);
  EXPECT_GE(seen, (highest + (lowest - 0x80000000U)) / kStep);
  EXPECT_LT(worst, 1.0) << "at " << where;
  EXPECT_GT(worst, 0.5);
}

TEST(Math, ExpOfEveryFloatOutsideItsRange) {
  int wrong = 0;
  float where = 0;
  const auto expect = [&](float x, bool right) {
    if (!right) ++wrong, where = x;
  };
  const auto highest = std::bit_cast<std::uint32_t>(math::ExpConstants::kHighest);
  const auto lowest = std::bit_cast<std::uint32_t>(math::ExpConstants::kLowest);
  for_floats(highest + 1, 0x7F800000U, [&](float x) { expect(x, math::exp(x) == kInfinity); });
  for_floats(lowest + 1, 0xFF800000U, [&](float x) { expect(x, math::exp(x) == 0.0F); });
  for_floats(0x7F800001U, 0x7FFFFFFFU, [&](float x) { expect(x, std::isnan(math::exp(x))); });
  for_floats(0xFF800001U, 0xFFFFFFFFU, [&](float x) { expect(x, std::isnan(math::exp(x))); });
  EXPECT_EQ(wrong, 0) << "the last at " << where;
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
