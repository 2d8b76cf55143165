#include "core/bits.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "core/random.h"

namespace bittern {
namespace {

TEST(Bits, SignOfZeroIsPositiveWhateverItsSign) {
  EXPECT_EQ(sign_bit(0.0F), 0U);
  EXPECT_EQ(sign_bit(-0.0F), 0U);
  EXPECT_EQ(sign_bit(-1e-30F), 1U);
}

TEST(Bits, EveryKernelWordHasAPlaceOfItsOwnInsideTheBlob) {
  for (const auto [outputs, taps, inputs] :
       {std::array{1, 1, 1}, std::array{12, 9, 65}, std::array{64, 9, 128}}) {
    std::set<std::size_t> seen;
    for (int o = 0; o < outputs; ++o)
      for (int t = 0; t < taps; ++t)
        for (int w = 0; w < words_for(inputs); ++w)
          seen.insert(packed_kernel_index(o, t, w, taps, words_for(inputs)));
    EXPECT_EQ(seen.size(), static_cast<std::size_t>(outputs * taps * words_for(inputs)));
    EXPECT_LT(*seen.rbegin(), packed_kernel_words(outputs, taps, inputs));
  }
}

TEST(Bits, PackedKernelHoldsTheSignOfEveryWeight) {
  const int outputs = 13, taps = 9, inputs = 70;
  Random random{1};
  std::vector<float> kernel(static_cast<std::size_t>(outputs * taps * inputs));
  for (float& w : kernel) w = random.uniform(-1, 1);
  std::vector<std::uint64_t> packed(packed_kernel_words(outputs, taps, inputs));
  pack_kernel(kernel.data(), outputs, taps, inputs, packed.data());
  for (int t = 0; t < taps; ++t)
    for (int i = 0; i < inputs; ++i)
      for (int o = 0; o < outputs; ++o) {
        const std::uint64_t word = packed[packed_kernel_index(o, t, i / 64, taps, words_for(inputs))];
        EXPECT_EQ((word >> (i % 64)) & 1U,
                  sign_bit(kernel[static_cast<std::size_t>((t * inputs + i) * outputs + o)]));
      }
}

TEST(Bits, CountsTheNegativeWeightsOfEveryTapAndOutput) {
  const int outputs = 13, taps = 6, inputs = 70;
  Random random{2};
  std::vector<float> kernel(static_cast<std::size_t>(outputs * taps * inputs));
  for (float& w : kernel) w = random.uniform(-1, 1);
  std::vector<std::uint64_t> packed(packed_kernel_words(outputs, taps, inputs));
  pack_kernel(kernel.data(), outputs, taps, inputs, packed.data());
  std::vector<std::int16_t> counts(tap_bits_size(outputs, taps), -1);
  count_tap_bits(packed.data(), outputs, taps, inputs, counts.data());
  ASSERT_EQ(counts.size(), 6U * 16);
  const std::size_t of_tap = std::size_t{inputs} * outputs;
  for (std::size_t t = 0; t < taps; ++t)
    for (std::size_t o = 0; o < 16; ++o) {
      int negative = 0;
      for (std::size_t i = 0; i < inputs && o < outputs; ++i)
        negative += kernel[t * of_tap + i * outputs + o] < 0 ? 1 : 0;
      EXPECT_EQ(counts[t * 16 + o], negative) << t << ' ' << o;
    }
}

}  // namespace
}  // namespace bittern
