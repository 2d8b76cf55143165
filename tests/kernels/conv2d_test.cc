#include <gtest/gtest.h>

#include "epilogue_twin.h"
#include "support.h"

namespace bittern::kernels::testing {
namespace {

// The formula of conv2d.h, in its order.
float twin(const Conv2dShape& shape, const Tensor<float>& input, const std::vector<float>& kernel, int t,
           int f, int o) {
  const Window& w = shape.window;
  const int depth = shape.in_channels / shape.groups;
  const int first_input = o / (shape.out_channels / shape.groups) * depth;
  float sum = 0;
  for (int i = 0; i < w.kernel_time; ++i) {
    for (int j = 0; j < w.kernel_frequency; ++j) {
      const int row = t * w.stride_time - w.pad_time + i;
      const int column = f * w.stride_frequency - w.pad_frequency + j;
      if (row < 0 || row >= input.time || column < 0 || column >= input.frequency) continue;
      for (int c = 0; c < depth; ++c) {
        const int at = ((i * w.kernel_frequency + j) * depth + c) * shape.out_channels + o;
        const float product = input.at(row, column, first_input + c) * kernel[static_cast<std::size_t>(at)];
        sum = sum + product;
      }
    }
  }
  return sum;
}

void check(Random& random, const Conv2dShape& shape, int in_time, int in_frequency, int time, int frequency) {
  SCOPED_TRACE(describe(shape.window) + ", " + std::to_string(shape.in_channels) + " -> " +
               std::to_string(shape.out_channels) + " channels in " + std::to_string(shape.groups) +
               " groups");
  const Tensor<float> input = random_tensor(random, in_time, in_frequency, shape.in_channels);
  const std::vector<float> kernel =
      random_floats(random, shape.window.taps() * shape.in_channels / shape.groups * shape.out_channels);
  const RandomEpilogue epilogue(random, time, frequency, shape.out_channels);
  Tensor<float> expected(time, frequency, shape.out_channels);
  for (int t = 0; t < time; ++t) {
    for (int f = 0; f < frequency; ++f) {
      for (int o = 0; o < shape.out_channels; ++o) {
        expected.at(t, f, o) = epilogue.twin(twin(shape, input, kernel, t, f, o), t, f, o);
      }
    }
  }
  for_isas([&](const KernelTable& table) {
    Random placing = random;
    const Placed<float> placed(placing, input);
    expect_convolution(placing, epilogue, expected,
                       [&](const Epilogue& e, View<float> output, int first, int last) {
                         table.conv2d(shape, placed.view(), kernel.data(), e, output, first, last);
                       });
  });
}

TEST(Conv2d, EqualsItsTwin) {
  for_seeds(150, [](Random& random) {
    const int in_time = between(random, 1, 8);
    const int in_frequency = between(random, 1, 14);
    const RandomWindow w = random_window(random, in_time, in_frequency, 4);
    check(random, {w.window, random_channels(random, 40), random_channels(random, 140), 1}, in_time,
          in_frequency, w.time, w.frequency);
  });
}

TEST(Conv2d, GroupsEqualTheirTwin) {
  for_seeds(100, [](Random& random) {
    const int in_time = between(random, 1, 8);
    const int in_frequency = between(random, 1, 12);
    const RandomWindow w = random_window(random, in_time, in_frequency, 4);
    const int groups = between(random, 2, 9);
    check(random, {w.window, groups * between(random, 1, 5), groups * random_channels(random, 40), groups},
          in_time, in_frequency, w.time, w.frequency);
  });
}

// Eight outputs a group: where vectors have 16 lanes, these run over pixels. Rows of full tiles and with a
// rest.
TEST(Conv2d, GroupsOfEightOutputsEqualTheirTwin) {
  for_seeds(60, [](Random& random) {
    const int in_time = between(random, 1, 6);
    const int in_frequency = between(random, 1, 40);
    const RandomWindow w = random_window(random, in_time, in_frequency, 4);
    const int groups = 2 << between(random, 0, 2);
    const int depth = 16 / groups * between(random, 1, 2);
    check(random, {w.window, groups * depth, groups * 8, groups}, in_time, in_frequency, w.time, w.frequency);
  });
  Random random{9};
  for (const int frequency : {16, 17, 31, 33, 47, 48, 65}) {
    for (const int stride_time : {1, 2, 3})
      check(random, {{3, 3, stride_time, 1, 1, 1}, 16, 32, 4}, 7, frequency, (7 - 1) / stride_time + 1,
            frequency);
  }
  check(random, {{3, 3, 1, 1, 1, 1}, 12, 32, 4}, 7, 31, 7, 31);  // whose inputs do not fill vectors
  // A row's planes fit the stack here, but not all terms of a window.
  check(random, {{1, 31, 1, 1, 0, 15}, 80, 16, 2}, 2, 16, 2, 16);
}

TEST(Conv2d, DepthwiseEqualsItsTwin) {
  for_seeds(100, [](Random& random) {
    const int in_time = between(random, 1, 8);
    const int in_frequency = between(random, 1, 12);
    const RandomWindow w = random_window(random, in_time, in_frequency, 4);
    const int channels = random_channels(random);
    check(random, {w.window, channels, channels, channels}, in_time, in_frequency, w.time, w.frequency);
  });
}

// Kernels of 3 x 3 keep their weights in registers.
TEST(Conv2d, DepthwiseOfThreeByThreeEqualsItsTwin) {
  for_seeds(100, [](Random& random) {
    const int in_time = between(random, 1, 8);
    const int in_frequency = between(random, 1, 24);
    const RandomWindow w = random_window(random, in_time, in_frequency, 3, 3);
    const int channels = random_channels(random, 70);
    check(random, {w.window, channels, channels, channels}, in_time, in_frequency, w.time, w.frequency);
  });
}

// Of 1 x 1: a product of matrices where pixels lie behind each other.
TEST(Conv2d, PointwiseEqualsItsTwin) {
  for_seeds(100, [](Random& random) {
    const int time = between(random, 1, 6);
    const int frequency = between(random, 1, 12);
    const int outputs = flip(random) ? 32 * between(random, 1, 6) : random_channels(random, 140);
    check(random, {{}, random_channels(random, 70), outputs, 1}, time, frequency, time, frequency);
  });
}

TEST(Conv2d, LargestKernel) {
  Random random{7};
  check(random, {{31, 31, 1, 1, 15, 15}, 1, 20, 1}, 34, 33, 34, 33);
}

// More terms, taps or inputs, than one loop takes; rows too long to be copied.
TEST(Conv2d, ManyTerms) {
  Random random{8};
  check(random, {{7, 7, 1, 1, 3, 3}, 40, 72, 1}, 8, 22, 8, 22);
  check(random, {{1, 1, 1, 1, 0, 0}, 2500, 40, 1}, 3, 6, 3, 6);
  check(random, {{1, 2, 1, 1, 0, 1}, 1100, 9, 1}, 2, 9, 2, 9);
}

}  // namespace
}  // namespace bittern::kernels::testing
