// Is a mean at most what was promised? A test that holds for every distribution. docs/calibration.md has the
// reasons.
#pragma once

#include <cstddef>
#include <span>

namespace bittern::evaluation {

// Values lie in [low, high]; the claim to be shown is that their mean is at most `limit`, low < limit < high.
struct Claim {
  double limit = 0.01;
  double high = 1;
  double confidence = 0.95;
};

// How much is put on each value, from 0 to most_bet(): what would have grown fastest over `values`, with half
// a loss of size `high` added so that no run of luck bets all.
double choose_bet(std::span<const double> values, const Claim& claim);
double most_bet(const Claim& claim);

// Starts with a capital of 1 and bets on `values` in turn that they lie below the limit: the product of
// 1 + bet (limit - value), as a logarithm. If the mean were above the limit, its expectation would be at most
// 1, and by Markov's inequality it would reach 1 / (1 - confidence) with probability 1 - confidence at most,
// whatever the distribution, as long as the values are independent and `bet` was chosen without them.
double log_capital(std::span<const double> values, double bet, const Claim& claim);

// log_capital() that is enough.
double needed_log_capital(const Claim& claim);

// The least number of values in all, half of them to choose the bet, half to test, with which the claim can
// be shown if every value is 0.
std::size_t needed_values(const Claim& claim);

}  // namespace bittern::evaluation
