#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "core/aligned.h"
#include "core/int8_kernel.h"
#include "epilogue_twin.h"
#include "support.h"

namespace bittern::kernels::testing {
namespace {

int level(const Int8Conv2dShape& shape, float x) {
  const float scaled = std::nearbyint(x * shape.input_scale);
  return static_cast<int>(std::fmin(std::fmax(scaled, static_cast<float>(-shape.input_zero)),
                                    static_cast<float>(255 - shape.input_zero)));
}

// The formula of conv2d_int8.h. kernel: [kernel_time, kernel_frequency, inputs, outputs].
float twin(const Int8Conv2dShape& shape, const Tensor<float>& input, const std::vector<std::int8_t>& kernel,
           int t, int f, int o) {
  const Window& w = shape.window;
  int sum = 0;
  for (int i = 0; i < w.kernel_time; ++i) {
    for (int j = 0; j < w.kernel_frequency; ++j) {
      const int row = t * w.stride_time - w.pad_time + i;
      const int column = f * w.stride_frequency - w.pad_frequency + j;
      if (row < 0 || row >= input.time || column < 0 || column >= input.frequency) continue;
      for (int c = 0; c < shape.in_channels; ++c) {
        const int at = ((i * w.kernel_frequency + j) * shape.in_channels + c) * shape.out_channels + o;
        sum += level(shape, input.at(row, column, c)) * kernel[static_cast<std::size_t>(at)];
      }
    }
  }
  return static_cast<float>(sum);
}

void check(Random& random, const Int8Conv2dShape& shape, int in_time, int in_frequency, int time,
           int frequency, bool extreme = false) {
  SCOPED_TRACE(describe(shape.window) + ", " + std::to_string(shape.in_channels) + " -> " +
               std::to_string(shape.out_channels) + " channels, zero " + std::to_string(shape.input_zero));
  Tensor<float> input = random_tensor(random, in_time, in_frequency, shape.in_channels);
  // Beyond both ends of the levels, and ties.
  for (float& x : input.values) {
    x *= 20.0F;
    if (flip(random)) x = std::round(x * 2 * shape.input_scale) / (2 * shape.input_scale);
    if (extreme) x = -1000.0F;
  }
  const int terms = shape.window.taps() * shape.in_channels;
  std::vector<std::int8_t> kernel(static_cast<std::size_t>(terms * shape.out_channels));
  for (std::int8_t& w : kernel)
    w = extreme ? std::int8_t{-128} : static_cast<std::int8_t>(between(random, -128, 127));
  const int values = shape.window.kernel_frequency * shape.in_channels;
  AlignedBuffer<std::int8_t> packed_kernel(
      int8_kernel_bytes(shape.out_channels, shape.window.kernel_time, values));
  pack_int8_kernel(kernel.data(), shape.out_channels, shape.window.kernel_time, values, packed_kernel.data());
  const RandomEpilogue epilogue(random, time, frequency, shape.out_channels);
  Tensor<float> expected(time, frequency, shape.out_channels);
  for (int t = 0; t < time; ++t) {
    for (int f = 0; f < frequency; ++f) {
      for (int o = 0; o < shape.out_channels; ++o)
        expected.at(t, f, o) = epilogue.twin(twin(shape, input, kernel, t, f, o), t, f, o);
    }
  }
  for_isas([&](const KernelTable& table) {
    Random placing = random;
    const Placed<float> placed(placing, input);
    expect_convolution(
        placing, epilogue, expected, [&](const Epilogue& e, View<float> output, int first, int last) {
          table.conv2d_int8(shape, placed.view(), packed_kernel.data(), e, output, first, last);
        });
  });
}

TEST(Conv2dInt8, EqualsItsTwin) {
  for_seeds(150, [](Random& random) {
    const int in_time = between(random, 1, 8);
    const int in_frequency = between(random, 1, 40);
    const RandomWindow w = random_window(random, in_time, in_frequency, 6);
    const float scale = flip(random) ? 16.0F : random.uniform(0.5F, 20.0F);
    check(random,
          {w.window, between(random, 1, 3), 16 * between(random, 1, 5), scale, between(random, 0, 255)},
          in_time, in_frequency, w.time, w.frequency);
  });
}

// Pixel by pixel, as behind a pool: rows of all lengths, many channels.
TEST(Conv2dInt8, PointwiseEqualsItsTwin) {
  for_seeds(80, [](Random& random) {
    const int time = between(random, 1, 20), frequency = between(random, 1, 20);
    check(random,
          {{1, 1, 1, 1, 0, 0},
           between(random, 1, 130),
           16 * between(random, 1, 5),
           16.0F,
           between(random, 0, 255)},
          time, frequency, time, frequency);
  });
}

// Short rows, of which the window on the stack holds fewer than would fill a tile.
TEST(Conv2dInt8, RowsThatFillTheWindow) {
  Random random{6};
  check(random, {{1, 1, 1, 1, 0, 0}, 500, 16, 16.0F, 160}, 20, 4, 20, 4);
  check(random, {{1, 1, 31, 1, 0, 0}, 64, 16, 16.0F, 160}, 31 * 32, 1, 32, 1);
  // As large as it may be: 31 rows and one, of 256 bytes.
  ASSERT_EQ(int8_window_bytes(31, 253, 1), kMaxInt8Window);
  check(random, {{31, 16, 1, 1, 15, 7}, 1, 16, 16.0F, 160}, 5, 238, 5, 238);
}

// Sums as large as they get are exact.
TEST(Conv2dInt8, LargestSums) {
  Random random{3};
  check(random, {{8, 8, 1, 1, 0, 0}, 8, 16, 1.0F, 255}, 9, 9, 2, 2, true);
}

// What is no number takes the lowest level, infinities the last ones.
TEST(Conv2dInt8, NumbersBeyondAllLevels) {
  const Int8Conv2dShape shape{{1, 1, 1, 1, 0, 0}, 1, 16, 16.0F, 160};
  AlignedBuffer<std::int8_t> kernel(int8_kernel_bytes(16, 1, 1));
  for (int o = 0; o < 16; ++o) kernel.data()[int8_kernel_index(o, 0, 0, 1, 1)] = 1;
  const float infinity = std::numeric_limits<float>::infinity();
  const std::vector<float> values{std::numeric_limits<float>::quiet_NaN(), -infinity, infinity, -0.0F, 1e30F};
  const float levels[] = {-160, -160, 95, 0, 95};
  for_isas([&](const KernelTable& table) {
    std::vector<float> output(values.size() * 16);
    const auto to = dense_view(output.data(), 1, static_cast<int>(values.size()), 16);
    table.conv2d_int8(shape, dense_view(values.data(), 1, static_cast<int>(values.size()), 1), kernel.data(),
                      {}, to, 0, 1);
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_EQ(output[i * 16], levels[i]) << i;
  });
}

// As many rows as a kernel has, none of whole quads.
TEST(Conv2dInt8, TallKernel) {
  Random random{5};
  check(random, {{30, 17, 1, 1, 15, 8}, 1, 16, 16.0F, 160}, 31, 18, 31, 18);
}

TEST(Conv2dInt8, MostOutputs) {
  Random random{4};
  check(random, {{3, 5, 2, 4, 0, 0}, 1, kMaxInt8Outputs, 16.0F, 160}, 7, 33, 3, 8);
}

}  // namespace
}  // namespace bittern::kernels::testing
