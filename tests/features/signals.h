// Test audio by name.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "core/random.h"

namespace bittern::features {

struct Signal {
  std::string name;
  std::vector<float> samples;
};

inline std::vector<float> white_noise(std::size_t count, float level, std::uint64_t seed) {
  Random random{seed};
  std::vector<float> x(count);
  for (float& s : x) s = random.uniform(-level, level);
  return x;
}

inline std::vector<float> tone(std::size_t count, double hz, double rate = 16000) {
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    x[i] = static_cast<float>(std::sin(2 * std::numbers::pi * hz * static_cast<double>(i) / rate));
  }
  return x;
}

// A voice: pulses at a gliding pitch through three resonances, loud and soft in turn, in 16-bit steps.
inline std::vector<float> vowel_like(std::size_t count) {
  std::vector<double> y(count, 0.0);
  double phase = 0;
  for (std::size_t i = 0; i < count; ++i) {
    phase += (110 + 40 * std::sin(static_cast<double>(i) / 3000)) / 16000;
    if (phase >= 1) phase -= 1, y[i] = 1;
  }
  for (const auto& [hz, width] : {std::pair{600.0, 80.0}, {1200.0, 100.0}, {2600.0, 150.0}}) {
    const double radius = std::exp(-std::numbers::pi * width / 16000);
    const double turn = 2 * radius * std::cos(2 * std::numbers::pi * hz / 16000);
    for (std::size_t i = 2; i < count; ++i) y[i] += turn * y[i - 1] - radius * radius * y[i - 2];
  }
  double peak = 0;
  for (const double s : y) peak = std::max(peak, std::abs(s));
  std::vector<float> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double loudness = 0.5 + 0.49 * std::sin(static_cast<double>(i) / 1500);
    x[i] = static_cast<float>(std::round(y[i] / peak * loudness * 32767) / 32768);
  }
  return x;
}

inline std::vector<Signal> signals(std::size_t count = 16000) {
  std::vector<Signal> all;
  all.push_back({"vowel_like", vowel_like(count)});
  all.push_back({"white_noise", white_noise(count, 1.0F, 1)});
  all.push_back({"faint_noise", white_noise(count, 1e-4F, 2)});
  all.push_back({"inaudible_noise", white_noise(count, 1e-8F, 3)});
  all.push_back({"silence", std::vector<float>(count, 0.0F)});
  Signal clipped{"clipped_noise", white_noise(count, 20.0F, 4)};
  for (float& s : clipped.samples) s = std::clamp(s, -1.0F, 1.0F);
  all.push_back(clipped);
  Signal click{"click", std::vector<float>(count, 0.0F)};
  click.samples[count / 2] = 1.0F;
  all.push_back(click);
  Signal dc{"dc_offset", white_noise(count, 1e-3F, 5)};
  for (float& s : dc.samples) s += 0.9F;
  all.push_back(dc);
  for (const double hz : {61.0, 250.0, 1000.0, 1007.8125, 3999.0, 7500.0, 7990.0}) {
    all.push_back({"tone_" + std::to_string(static_cast<int>(hz)), tone(count, hz)});
  }
  Signal alternating{"half_the_rate", std::vector<float>(count, 1.0F)};
  for (std::size_t i = 1; i < count; i += 2) alternating.samples[i] = -1.0F;
  all.push_back(alternating);
  return all;
}

}  // namespace bittern::features
