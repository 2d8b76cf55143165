#include "evaluation/risk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core/random.h"

namespace bittern::evaluation {
namespace {

const Claim kClaim{.limit = 0.05, .high = 1, .confidence = 0.9};

// Values with this mean: 1 and -1 with few chances, else 0.
std::vector<double> draw(std::size_t count, double up, double down, Random& random) {
  std::vector<double> values;
  for (std::size_t i = 0; i < count; ++i) {
    const auto chance = static_cast<double>(random.uniform());
    values.push_back(chance < up ? 1 : chance < up + down ? -1 : 0);
  }
  return values;
}

TEST(Capital, IsTheProductOfTheBets) {
  const std::vector<double> values{0, 1, -1, 0.3};
  double product = 1;
  for (const double value : values) product *= 1 + 0.4 * (0.05 - value);
  EXPECT_NEAR(log_capital(values, 0.4, kClaim), std::log(product), 1e-12);
}

TEST(Bet, NoOtherWouldHaveGrownFaster) {
  Random random{3};
  std::vector<double> values = draw(400, 0.02, 0.01, random);
  const double bet = choose_bet(values, kClaim);
  const auto grown = [&](double other) {
    return log_capital(values, other, kClaim) + 0.5 * std::log1p(other * (kClaim.limit - kClaim.high));
  };
  for (double other = 0; other < most_bet(kClaim); other += 0.001) EXPECT_GE(grown(bet), grown(other) - 1e-9);
  EXPECT_NEAR(choose_bet(std::vector<double>(100, 0.5), kClaim), 0, 1e-9);
}

// The mean is the limit: the claim is (just) false, and may be shown in one of ten at most.
TEST(Claim, IsSeldomShownWhereItIsFalse) {
  int shown = 0;
  for (std::uint64_t trial = 0; trial < 2000; ++trial) {
    Random random{11, trial};
    const double bet = choose_bet(draw(300, 0.03, 0.01, random), kClaim);  // hopeful
    const std::vector<double> values = draw(300, 0.07, 0.02, random);
    shown += log_capital(values, bet, kClaim) >= needed_log_capital(kClaim) ? 1 : 0;
  }
  EXPECT_LE(shown, 200);
  EXPECT_GE(shown, 10);  // the test is not idle
}

TEST(Claim, IsMostlyShownWhereItIsWellTrue) {
  int shown = 0;
  for (std::uint64_t trial = 0; trial < 200; ++trial) {
    Random random{12, trial};
    const double bet = choose_bet(draw(600, 0.02, 0.01, random), kClaim);
    const std::vector<double> values = draw(600, 0.02, 0.01, random);
    shown += log_capital(values, bet, kClaim) >= needed_log_capital(kClaim) ? 1 : 0;
  }
  EXPECT_GE(shown, 160);
}

TEST(Claim, NeedsNoFewerValuesThanItSays) {
  for (const double limit : {0.01, 0.05, 0.2}) {
    const Claim claim{.limit = limit, .high = 1, .confidence = 0.95};
    const std::size_t half = needed_values(claim) / 2;
    const auto shown = [&](std::size_t count) {
      const std::vector<double> zeros(count);
      return log_capital(zeros, choose_bet(zeros, claim), claim) >= needed_log_capital(claim);
    };
    EXPECT_TRUE(shown(half));
    EXPECT_FALSE(shown(half - 1));
    // No test at all can do with fewer than ln(1 - confidence) / ln(1 - limit).
    EXPECT_GE(static_cast<double>(half), std::log(0.05) / std::log(1 - limit));
    EXPECT_LE(static_cast<double>(half), 1.5 * std::log(0.05) / std::log(1 - limit) + 2);
  }
}

}  // namespace
}  // namespace bittern::evaluation
