// Signs with clips along the rows, against two loops.
#include "training/sign_columns.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/random.h"

namespace bittern::training {
namespace {

TEST(SignColumns, EqualTwoLoops) {
  Random random({3});
  for (int turn = 0; turn < 40; ++turn) {
    const auto clips = 1 + static_cast<std::int64_t>(random.below(150));
    const auto channels = 1 + static_cast<std::int64_t>(random.below(150));
    const std::int64_t stride = clips + static_cast<std::int64_t>(random.below(9));
    std::vector<float> x(static_cast<std::size_t>(clips * channels));
    for (float& value : x) value = static_cast<float>(random.below(5)) - 2.0F;  // zeros among them
    constexpr float kUntouched = 7;
    std::vector<float> expected(static_cast<std::size_t>(channels * stride), kUntouched);
    for (std::int64_t c = 0; c < channels; ++c) {
      for (std::int64_t n = 0; n < clips; ++n) {
        expected[static_cast<std::size_t>(c * stride + n)] =
            x[static_cast<std::size_t>(n * channels + c)] < 0.0F ? -1.0F : 1.0F;
      }
    }
    std::vector<float> signs(expected.size(), kUntouched);
    sign_columns(x.data(), clips, channels, signs.data(), stride);
    EXPECT_EQ(signs, expected) << clips << " clips, " << channels << " channels";
    std::vector<Bf16> halves(expected.size(), to_bf16(kUntouched));
    sign_columns(x.data(), clips, channels, halves.data(), stride);
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(to_float(halves[i]), expected[i]);
  }
}

}  // namespace
}  // namespace bittern::training
