#include <gtest/gtest.h>

#include "support.h"

namespace bittern::kernels::testing {
namespace {

// Pads so that every window touches the input, as both of TensorFlow's rules do.
RandomWindow random_pool(Random& random, int time, int frequency) {
  RandomWindow w = random_window(random, time, frequency, 4);
  const auto count = [](int input, int kernel, int stride, int& pad) {
    pad = std::min({pad, kernel - 1, kernel / 2});
    return (input - 1 + pad) / stride + 1;
  };
  w.time = count(time, w.window.kernel_time, w.window.stride_time, w.window.pad_time);
  w.frequency =
      count(frequency, w.window.kernel_frequency, w.window.stride_frequency, w.window.pad_frequency);
  return w;
}

// The values under the window of output (t, f, c), rows first.
std::vector<float> under(const Window& w, const Tensor<float>& input, int t, int f, int c) {
  std::vector<float> values;
  for (int i = 0; i < w.kernel_time; ++i) {
    for (int j = 0; j < w.kernel_frequency; ++j) {
      const int row = t * w.stride_time - w.pad_time + i;
      const int column = f * w.stride_frequency - w.pad_frequency + j;
      if (row >= 0 && row < input.time && column >= 0 && column < input.frequency) {
        values.push_back(input.at(row, column, c));
      }
    }
  }
  return values;
}

float largest(const std::vector<float>& values) {
  float m = values[0];
  for (const float x : values) m = m < x ? x : m;
  return m;
}

// 0 where all are NaN, too.
float largest_or_zero(const std::vector<float>& values) {
  float m = 0.0F;
  for (const float x : values) m = m < x ? x : m;
  return m;
}

float average(const std::vector<float>& values) {
  float sum = values[0];
  for (std::size_t i = 1; i < values.size(); ++i) sum = sum + values[i];
  return sum / static_cast<float>(values.size());
}

using Twin = float(const std::vector<float>&);

void compare(Random& random, const RandomWindow& w, const Tensor<float>& input, Pool* KernelTable::*pool,
             Twin* twin) {
  SCOPED_TRACE(describe(w.window));
  Tensor<float> expected(w.time, w.frequency, input.channels);
  for (int t = 0; t < w.time; ++t) {
    for (int f = 0; f < w.frequency; ++f) {
      for (int c = 0; c < input.channels; ++c) {
        expected.at(t, f, c) = twin(under(w.window, input, t, f, c));
      }
    }
  }
  for_isas([&](const KernelTable& table) {
    Random placing = random;
    const Placed<float> from(placing, input);
    const Placed<float> to(placing, w.time, w.frequency, input.channels);
    in_pieces(placing, w.time,
              [&](int first, int last) { (table.*pool)(w.window, from.view(), to.view(), first, last); });
    to.expect(expected, 0, w.time);
  });
}

void check(bool odd, Pool* KernelTable::*pool, Twin* twin) {
  for_seeds(100, [&](Random& random) {
    const Tensor<float> input =
        random_tensor(random, between(random, 1, 9), between(random, 1, 9), random_channels(random, 70), odd);
    compare(random, random_pool(random, input.time, input.frequency), input, pool, twin);
  });
}

TEST(Pool, MaxEqualsItsTwin) { check(true, &KernelTable::max_pool, largest); }
TEST(Pool, MaxOfReluEqualsItsTwin) { check(true, &KernelTable::relu_max_pool, largest_or_zero); }
TEST(Pool, AverageEqualsItsTwin) { check(false, &KernelTable::avg_pool, average); }

// Windows of 2 x 2 that move on by one column, all of them inside.
TEST(Pool, NeighboursEqualTheirTwin) {
  for_seeds(100, [&](Random& random) {
    const Tensor<float> input = random_tensor(random, between(random, 2, 12), between(random, 2, 12),
                                              random_channels(random, 70), true);
    const int stride = between(random, 1, 3);
    RandomWindow w;
    w.window = {2, 2, stride, 1, 0, 0};
    w.time = (input.time - 2) / stride + 1;
    w.frequency = input.frequency - 1;
    compare(random, w, input, &KernelTable::relu_max_pool, largest_or_zero);
    compare(random, w, input, &KernelTable::max_pool, largest);
  });
}

// Two neighbours beside each other, one channel: lanes over frequency, rows long enough for many.
TEST(Pool, PairsOfOneChannelEqualTheirTwin) {
  for_seeds(100, [&](Random& random) {
    const Tensor<float> input = random_tensor(random, between(random, 1, 9), between(random, 1, 140), 1);
    RandomWindow w = random_pool(random, input.time, input.frequency);
    w.window.kernel_frequency = w.window.stride_frequency = 2;
    w.window.pad_frequency = 0;
    w.frequency = (input.frequency + 1) / 2;
    compare(random, w, input, &KernelTable::avg_pool, average);
    compare(random, w, input, &KernelTable::relu_max_pool, largest_or_zero);
  });
}

}  // namespace
}  // namespace bittern::kernels::testing
