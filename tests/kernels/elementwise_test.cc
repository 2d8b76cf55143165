#include <gtest/gtest.h>

#include <functional>

#include "support.h"

namespace bittern::kernels::testing {
namespace {

// Compares run(table, input, output, first, last) with twin(x, channel), into another place and in place.
void check(bool odd, int channels, Random& random, const std::function<float(float, int)>& twin,
           const std::function<void(const KernelTable&, View<const float>, View<float>, int, int)>& run,
           bool may_be_in_place = true) {
  const Tensor<float> input =
      random_tensor(random, between(random, 1, 6), between(random, 1, 6), channels, odd);
  Tensor<float> expected = input;
  for (int t = 0; t < input.time; ++t) {
    for (int f = 0; f < input.frequency; ++f) {
      for (int c = 0; c < channels; ++c) expected.at(t, f, c) = twin(input.at(t, f, c), c);
    }
  }
  for_isas([&](const KernelTable& table) {
    Random placing = random;
    const Placed<float> from(placing, input);
    const Placed<float> to(placing, input.time, input.frequency, channels);
    in_pieces(placing, input.time,
              [&](int first, int last) { run(table, from.view(), to.view(), first, last); });
    to.expect(expected, 0, input.time);
    from.expect(input, 0, input.time);
    if (may_be_in_place) {
      in_pieces(placing, input.time,
                [&](int first, int last) { run(table, from.view(), from.view(), first, last); });
      from.expect(expected, 0, input.time);
    }
  });
}

TEST(Elementwise, Relu) {
  for_seeds(60, [](Random& random) {
    check(
        true, random_channels(random), random, [](float x, int) { return x > 0 ? x : 0; },
        [](const KernelTable& table, View<const float> input, View<float> output, int first, int last) {
          table.relu(input, output, first, last);
        });
  });
}

TEST(Elementwise, Prelu) {
  for_seeds(60, [](Random& random) {
    const int channels = random_channels(random);
    const std::vector<float> slope = random_floats(random, channels);
    check(
        true, channels, random,
        [&](float x, int c) { return x > 0 ? x : x * slope[static_cast<std::size_t>(c)]; },
        [&](const KernelTable& table, View<const float> input, View<float> output, int first, int last) {
          table.prelu(input, slope.data(), output, first, last);
        });
  });
}

TEST(Elementwise, Affine) {
  for_seeds(60, [](Random& random) {
    const int channels = random_channels(random);
    const std::vector<float> scale = random_floats(random, channels);
    const std::vector<float> bias = random_floats(random, channels);
    check(
        false, channels, random,
        [&](float x, int c) {
          const float product = x * scale[static_cast<std::size_t>(c)];
          return product + bias[static_cast<std::size_t>(c)];
        },
        [&](const KernelTable& table, View<const float> input, View<float> output, int first, int last) {
          table.affine(input, scale.data(), bias.data(), output, first, last);
        });
  });
}

TEST(Elementwise, Copy) {
  for_seeds(40, [](Random& random) {
    check(
        true, random_channels(random), random, [](float x, int) { return x; },
        [](const KernelTable& table, View<const float> input, View<float> output, int first, int last) {
          table.copy(input, output, first, last);
        },
        false);
  });
}

TEST(Elementwise, AddToAllOrToTheLastChannels) {
  for_seeds(80, [](Random& random) {
    const int channels = random_channels(random);
    const int fewer = flip(random) ? channels : between(random, 1, channels);
    const Tensor<float> a = random_tensor(random, between(random, 1, 6), between(random, 1, 6), channels);
    const Tensor<float> b = random_tensor(random, a.time, a.frequency, fewer);
    Tensor<float> expected = a;
    for (int t = 0; t < a.time; ++t) {
      for (int f = 0; f < a.frequency; ++f) {
        for (int c = 0; c < fewer; ++c) {
          expected.at(t, f, channels - fewer + c) = a.at(t, f, channels - fewer + c) + b.at(t, f, c);
        }
      }
    }
    for_isas([&](const KernelTable& table) {
      Random placing = random;
      const Placed<float> first_place(placing, a);
      const Placed<float> second_place(placing, b);
      const Placed<float> to(placing, a.time, a.frequency, channels);
      const View<float> output = flip(placing) ? to.view() : first_place.view();
      in_pieces(placing, a.time, [&](int first, int last) {
        table.add(first_place.view(), second_place.view(), output, first, last);
      });
      (output.data == to.view().data ? to : first_place).expect(expected, 0, a.time);
      second_place.expect(b, 0, a.time);
    });
  });
}

}  // namespace
}  // namespace bittern::kernels::testing
