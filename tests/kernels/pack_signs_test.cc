#include <gtest/gtest.h>

#include "support.h"

namespace bittern::kernels::testing {
namespace {

TEST(PackSigns, EqualsTheLayoutsReference) {
  for_seeds(100, [](Random& random) {
    const Tensor<float> input =
        random_tensor(random, between(random, 1, 6), between(random, 1, 6), random_channels(random), true);
    for_isas([&](const KernelTable& table) {
      Random placing = random;
      const Placed<float> from(placing, input);
      const Placed<std::uint64_t> to(placing, input.time, input.frequency, words_for(input.channels));
      in_pieces(placing, input.time, [&](int first, int last) {
        table.pack_signs(from.view(), nullptr, nullptr, to.view(), first, last);
      });
      to.expect(packed(input), 0, input.time);
    });
  });
}

TEST(PackSigns, AffineGivesTheSignOfTheRoundedFloat) {
  for_seeds(100, [](Random& random) {
    const int channels = random_channels(random);
    Tensor<float> input = random_tensor(random, between(random, 1, 6), between(random, 1, 6), channels);
    const std::vector<float> scale = random_floats(random, channels);
    std::vector<float> bias = random_floats(random, channels);
    // Many sums at or within rounding of zero, where a fused or rearranged formula would differ.
    for (int f = 0; f < input.frequency; ++f) {
      for (int c = 0; c < channels; ++c) {
        bias[static_cast<std::size_t>(c)] = -(input.at(0, f, c) * scale[static_cast<std::size_t>(c)]);
      }
    }
    Tensor<float> normed = input;
    for (int t = 0; t < input.time; ++t) {
      for (int f = 0; f < input.frequency; ++f) {
        for (int c = 0; c < channels; ++c) {
          const auto i = static_cast<std::size_t>(c);
          const float product = input.at(t, f, c) * scale[i];
          normed.at(t, f, c) = product + bias[i];
        }
      }
    }
    for_isas([&](const KernelTable& table) {
      Random placing = random;
      const Placed<float> from(placing, input);
      const Placed<std::uint64_t> to(placing, input.time, input.frequency, words_for(channels));
      in_pieces(placing, input.time, [&](int first, int last) {
        table.pack_signs(from.view(), scale.data(), bias.data(), to.view(), first, last);
      });
      to.expect(packed(normed), 0, input.time);
    });
  });
}

}  // namespace
}  // namespace bittern::kernels::testing
