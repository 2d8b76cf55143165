#include <gtest/gtest.h>

#include "support.h"

namespace bittern::kernels::testing {
namespace {

// Means of each (frequency, channel) over time, or of each channel over time and frequency.
void check(bool global) {
  for_seeds(80, [&](Random& random) {
    const Tensor<float> input =
        random_tensor(random, between(random, 1, 30), between(random, 1, 6), random_channels(random, 70));
    const int kept = global ? 1 : input.frequency;
    const auto divisor = static_cast<float>(global ? input.time * input.frequency : input.time);
    Tensor<float> expected(1, kept, input.channels);
    for (int t = 0; t < input.time; ++t) {
      for (int f = 0; f < input.frequency; ++f) {
        for (int c = 0; c < input.channels; ++c) {
          float& sum = expected.at(0, global ? 0 : f, c);
          sum = sum + input.at(t, f, c);
        }
      }
    }
    for (float& value : expected.values) value = value / divisor;
    for_isas([&](const KernelTable& table) {
      Random placing = random;
      const Placed<float> from(placing, input);
      std::vector<float> sums(expected.values.size() + 2, 0.0F);
      sums.front() = sums.back() = guard_value<float>();
      in_pieces(placing, input.time, [&](int first, int last) {
        (global ? table.accumulate_global : table.accumulate_time)(from.view(), sums.data() + 1, first, last);
      });
      table.divide(sums.data() + 1, expected.values.size(), divisor);
      for (std::size_t i = 0; i < expected.values.size(); ++i) {
        ASSERT_EQ(bits_of(sums[i + 1]), bits_of(expected.values[i])) << i;
      }
      ASSERT_EQ(sums.front(), guard_value<float>());
      ASSERT_EQ(sums.back(), guard_value<float>());
    });
  });
}

TEST(Mean, OverTime) { check(false); }
TEST(Mean, OverTimeAndFrequency) { check(true); }

}  // namespace
}  // namespace bittern::kernels::testing
