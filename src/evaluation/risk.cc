#include "evaluation/risk.h"

#include <cmath>
#include <vector>

namespace bittern::evaluation {
namespace {

// The slope of log_capital(values, bet) plus half a loss's, in `bet`; it falls as the bet grows.
double slope(std::span<const double> values, double bet, const Claim& claim) {
  const auto of = [&](double value) { return (claim.limit - value) / (1 + bet * (claim.limit - value)); };
  double sum = 0.5 * of(claim.high);
  for (const double value : values) sum += of(value);
  return sum;
}

}  // namespace

double most_bet(const Claim& claim) { return 0.999 / (claim.high - claim.limit); }

double choose_bet(std::span<const double> values, const Claim& claim) {
  double low = 0, high = most_bet(claim);
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (slope(values, middle, claim) > 0 ? low : high) = middle;
  }
  return low;
}

double log_capital(std::span<const double> values, double bet, const Claim& claim) {
  double sum = 0;
  for (const double value : values) sum += std::log1p(bet * (claim.limit - value));
  return sum;
}

double needed_log_capital(const Claim& claim) { return -std::log1p(-claim.confidence); }

std::size_t needed_values(const Claim& claim) {
  const auto enough = [&](std::size_t half) {
    const std::vector<double> zeros(half);
    return log_capital(zeros, choose_bet(zeros, claim), claim) >= needed_log_capital(claim);
  };
  std::size_t high = 1;
  while (!enough(high) && high < (std::size_t{1} << 22U)) high *= 2;
  std::size_t low = high / 2;
  while (high - low > 1) {
    const std::size_t middle = (low + high) / 2;
    (enough(middle) ? high : low) = middle;
  }
  return 2 * high;
}

}  // namespace bittern::evaluation
