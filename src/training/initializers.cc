#include "training/initializers.h"

#include <cmath>
#include <numbers>

namespace bittern::training {
namespace {

// Standard normal, truncated to [-2, 2] (Box-Muller, redrawn outside).
double truncated_normal(Random& random) {
  while (true) {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - static_cast<double>(random.uniform())));
    const double z = radius * std::cos(2.0 * std::numbers::pi * static_cast<double>(random.uniform()));
    if (std::abs(z) <= 2.0) return z;
  }
}

constexpr double kTruncatedDeviation = 0.87962566103423978;  // of a standard normal cut at +-2

}  // namespace

Fans fans_of(const graph::Conv2d& conv, int in_channels) {
  const double taps = static_cast<double>(conv.kernel.time) * conv.kernel.frequency;
  if (conv.groups > 1 && conv.groups == in_channels)
    return {taps * in_channels, taps * conv.out_channels / in_channels};
  return {taps * in_channels / conv.groups, taps * conv.out_channels / conv.groups};
}

Fans fans_of(const graph::BinaryConv2d& conv, int in_channels) {
  const double taps = static_cast<double>(conv.kernel.time) * conv.kernel.frequency;
  return {taps * in_channels, taps * conv.out_channels};
}

void initialize(std::span<float> kernel, graph::Initializer initializer, Fans fans, Random& random) {
  switch (initializer) {
    case graph::Initializer::kGlorotNormal:
    case graph::Initializer::kHeNormal: {
      const double fan = initializer == graph::Initializer::kHeNormal ? fans.in : fans.in + fans.out;
      const double deviation = std::sqrt(2.0 / fan) / kTruncatedDeviation;
      for (float& value : kernel) value = static_cast<float>(deviation * truncated_normal(random));
      break;
    }
    case graph::Initializer::kGlorotUniform: {
      const auto limit = static_cast<float>(std::sqrt(6.0 / (fans.in + fans.out)));
      for (float& value : kernel) value = random.uniform(-limit, limit);
      break;
    }
    case graph::Initializer::kBlur: {
      constexpr float kRow[3] = {1.0F, 2.0F, 1.0F};
      const std::size_t per_tap = kernel.size() / 9;
      for (std::size_t tap = 0; tap < 9; ++tap) {
        const float value = kRow[tap / 3] * kRow[tap % 3] / 16.0F;
        for (float& weight : kernel.subspan(tap * per_tap, per_tap)) weight = value;
      }
      break;
    }
  }
}

}  // namespace bittern::training
