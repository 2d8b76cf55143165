// Natural logarithm and exponential in single precision, from IEEE additions, multiplications and bit
// operations in one fixed order: no libm, nothing fused, so every machine and every vector width gives the
// same bits. A vector version repeats these operations lane by lane. Neither function depends on the
// flush-to-zero mode.
//
// Polynomials: Cephes (Moshier), logf and expf.
#pragma once

#include <bit>
#include <cstdint>
#include <limits>

namespace bittern::math {

// The constants, for vector versions too. Highest power first.
struct LogConstants {
  // bits(sqrt(1/2)): mantissas are reduced to [sqrt(1/2), sqrt(2)).
  static constexpr std::int32_t kSqrtHalfBits = 0x3F3504F3;
  static constexpr float kPolynomial[] = {7.0376836292e-2F,  -1.1514610310e-1F, 1.1676998740e-1F,
                                          -1.2420140846e-1F, 1.4249322787e-1F,  -1.6668057665e-1F,
                                          2.0000714765e-1F,  -2.4999993993e-1F, 3.3333331174e-1F};
  static constexpr float kLn2High = 0.693359375F;  // 9 bits: exact times any exponent
  static constexpr float kLn2Low = -2.12194440e-4F;
};

struct ExpConstants {
  static constexpr float kLog2E = 1.44269504088896341F;
  static constexpr float kRound = 12582912.0F;  // 1.5 x 2^23: x + kRound - kRound rounds x to an integer
  static constexpr float kPolynomial[] = {1.9875691500e-4F, 1.3981999507e-3F, 8.3334519073e-3F,
                                          4.1665795894e-2F, 1.6666665459e-1F, 5.0000001201e-1F};
  static constexpr float kHighest = 88.72283172607421875F;  // exp of the next float is infinite
  static constexpr float kLowest = -87.33654022216796875F;  // exp of the next float below is under 2^-126
};

namespace detail {

// ln(x 2^shift) for the bits of a normal positive x.
constexpr float log_of_normal(std::int32_t bits, float shift) {
  using C = LogConstants;
  const std::int32_t exponent = (bits - C::kSqrtHalfBits) >> 23;
  const float f = std::bit_cast<float>(bits - (exponent << 23)) - 1.0F;
  const float e = static_cast<float>(exponent) + shift;
  const float z = f * f;
  float p = C::kPolynomial[0];
  for (int i = 1; i < 9; ++i) p = p * f + C::kPolynomial[i];
  float y = p * f * z;
  y = y + e * C::kLn2Low;
  y = y - z * 0.5F;
  return (f + y) + e * C::kLn2High;
}

}  // namespace detail

// ln(x). Within 1 ULP of the true value for every positive float, subnormal ones too. log(+-0) = -inf,
// log(+inf) = +inf, NaN for negative x and for NaN.
constexpr float log(float x) {
  constexpr std::int32_t kInfinityBits = 0x7F800000;
  const auto bits = std::bit_cast<std::int32_t>(x);
  if (bits >= 0x00800000 && bits < kInfinityBits) return detail::log_of_normal(bits, 0.0F);
  if (bits > 0 && bits < 0x00800000) {  // subnormal: bits x 2^-149
    return detail::log_of_normal(std::bit_cast<std::int32_t>(static_cast<float>(bits)), -149.0F);
  }
  if (bits == kInfinityBits) return x;
  if ((bits & 0x7FFFFFFF) == 0) return -std::numeric_limits<float>::infinity();
  return std::numeric_limits<float>::quiet_NaN();
}

// e^x. Within 1 ULP of the true value where that is at least 2^-126; exactly 0 where it is less (x <
// -87.33654, -inf), +inf from x > 88.72283 on, NaN for NaN. exp(0) = 1.
constexpr float exp(float x) {
  using C = ExpConstants;
  if (x != x) return std::numeric_limits<float>::quiet_NaN();
  if (x > C::kHighest) return std::numeric_limits<float>::infinity();
  if (x < C::kLowest) return 0.0F;
  const float n = (x * C::kLog2E + C::kRound) - C::kRound;
  const float r = (x - n * LogConstants::kLn2High) - n * LogConstants::kLn2Low;
  float p = C::kPolynomial[0];
  for (int i = 1; i < 6; ++i) p = p * r + C::kPolynomial[i];
  const float y = p * (r * r) + r + 1.0F;
  // y is in [0.7, 1.5) and n in [-126, 128]; 2^n = 2 x 2^(n - 1) keeps both factors normal at either end.
  const std::int32_t half = (static_cast<std::int32_t>(n) >> 1);
  const std::int32_t rest = static_cast<std::int32_t>(n) - half;
  return y * std::bit_cast<float>((half + 127) << 23) * std::bit_cast<float>((rest + 127) << 23);
}

}  // namespace bittern::math
