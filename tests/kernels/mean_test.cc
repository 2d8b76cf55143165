#include <gtest/gtest.h>

#include "support.h"

namespace bittern::kernels::testing {
namespace {

struct Terms {
  bool relu = false;
  std::vector<float> scale;  // empty: no norm
  std::vector<float> bias;
};

float term(const Terms& terms, float x, int c) {
  const auto channel = static_cast<std::size_t>(c);
  float y = x;
  if (terms.relu) y = y > 0 ? y : 0.0F;
  if (terms.scale.empty()) return y;
  y = y * terms.scale[channel];
  return y + terms.bias[channel];
}

// Means of each (frequency, channel) over time, or of each channel over time and frequency.
void check(bool global) {
  for_seeds(150, [&](Random& random) {
    const Tensor<float> input = random_tensor(random, between(random, 1, 30), between(random, 1, 6),
                                              random_channels(random, 140), flip(random));
    Terms terms{.relu = flip(random), .scale = {}, .bias = {}};
    if (flip(random)) {
      terms.scale = random_floats(random, input.channels);
      terms.bias = random_floats(random, input.channels);
    }
    const int kept = global ? 1 : input.frequency;
    Tensor<float> expected(1, kept, input.channels);
    for (int t = 0; t < input.time; ++t) {
      for (int f = 0; f < input.frequency; ++f) {
        for (int c = 0; c < input.channels; ++c) {
          float& sum = expected.at(0, global ? 0 : f, c);
          sum = sum + term(terms, input.at(t, f, c), c);
        }
      }
    }
    const auto divisor = static_cast<float>(global ? input.time * input.frequency : input.time);
    for (float& value : expected.values) value = value / divisor;
    for_isas([&](const KernelTable& table) {
      Random placing = random;
      const Placed<float> from(placing, input);
      std::vector<float> means(expected.values.size() + 2, guard_value<float>());
      (global ? table.mean_global : table.mean_time)(
          from.view(), terms.relu, terms.scale.empty() ? nullptr : terms.scale.data(),
          terms.scale.empty() ? nullptr : terms.bias.data(), means.data() + 1);
      for (std::size_t i = 0; i < expected.values.size(); ++i) {
        const float mean = means[i + 1];
        // Which not-a-number comes out is the machine's choice.
        if (mean != mean && expected.values[i] != expected.values[i]) continue;
        ASSERT_EQ(bits_of(mean), bits_of(expected.values[i])) << i;
      }
      ASSERT_EQ(means.front(), guard_value<float>());
      ASSERT_EQ(means.back(), guard_value<float>());
    });
  });
}

TEST(Mean, OverTime) { check(false); }
TEST(Mean, OverTimeAndFrequency) { check(true); }

}  // namespace
}  // namespace bittern::kernels::testing
