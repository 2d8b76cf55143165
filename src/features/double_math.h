// Double-precision functions for the tables that create() makes. A libm's last bit differs from platform to
// platform; these use only IEEE operations in a fixed order, so the tables have the same bits everywhere.
#pragma once

#include <bit>
#include <cstdint>

namespace bittern::features {

struct UnitCirclePoint {
  double cosine;
  double sine;
};

// The cosine and sine of 2 pi numerator / denominator, within 2e-16; exact at multiples of a quarter turn.
// denominator in [1, 2^40], numerator below 2^40.
constexpr UnitCirclePoint unit_circle(std::uint64_t numerator, std::uint64_t denominator) {
  constexpr double kQuarterPi = 0.78539816339744830962;
  const std::uint64_t eighths = (numerator % denominator) * 8;
  const std::uint64_t octant = eighths / denominator;
  const std::uint64_t rest = eighths % denominator;
  // The angle from the nearest multiple of a quarter turn, in [0, pi / 4].
  const std::uint64_t part = octant % 2 == 0 ? rest : denominator - rest;
  const double x = kQuarterPi * (static_cast<double>(part) / static_cast<double>(denominator));
  const double z = x * x;
  // Taylor; the first terms left out are below 1e-17.
  double s = 1.0;
  for (int n = 16; n >= 2; n -= 2) s = 1.0 - z * s / static_cast<double>(n * (n + 1));
  s = x * s;
  double c = 1.0;
  for (int n = 17; n >= 1; n -= 2) c = 1.0 - z * c / static_cast<double>(n * (n + 1));
  switch (octant) {
    case 0:
      return {c, s};
    case 1:
      return {s, c};
    case 2:
      return {-s, c};
    case 3:
      return {-c, s};
    case 4:
      return {-c, -s};
    case 5:
      return {-s, -c};
    case 6:
      return {s, -c};
    default:
      return {c, -s};
  }
}

// ln(x) for normal positive x, within 4e-16 of max(1, |ln x|).
constexpr double natural_log(double x) {
  constexpr double kLn2 = 0.69314718055994530942;
  constexpr std::int64_t kSqrtHalfBits = 0x3FE6A09E667F3BCD;
  const auto bits = std::bit_cast<std::int64_t>(x);
  const std::int64_t exponent = (bits - kSqrtHalfBits) >> 52;
  const auto m = std::bit_cast<double>(bits - (exponent << 52));  // in [sqrt(1/2), sqrt(2))
  // ln m = 2 atanh(s) = 2 (s + s^3 / 3 + s^5 / 5 + ...), |s| < 0.172
  const double s = (m - 1.0) / (m + 1.0);
  const double z = s * s;
  double series = 0.0;
  for (int n = 21; n >= 1; n -= 2) series = series * z + 1.0 / static_cast<double>(n);
  return 2.0 * s * series + static_cast<double>(exponent) * kLn2;
}

// The HTK mel scale.
constexpr double mel_of_hz(double hz) { return 1127.0 * natural_log(1.0 + hz / 700.0); }

}  // namespace bittern::features
