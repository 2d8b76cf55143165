#include <gtest/gtest.h>

#include "core/aligned.h"
#include "epilogue_twin.h"
#include "support.h"

namespace bittern::kernels::testing {
namespace {

float sign(float x) { return x < 0 ? -1.0F : 1.0F; }

struct Case {
  BinaryConv2dShape shape;
  Tensor<float> input;
  std::vector<float> kernel;  // HWIO
  AlignedBuffer<std::uint64_t> packed_kernel;
  std::vector<std::int16_t> tap_bits;
  Tensor<float> sums;

  Case(Random& random, BinaryConv2dShape s, int in_time, int in_frequency, int time, int frequency)
      : shape(s),
        input(random_tensor(random, in_time, in_frequency, s.in_channels)),
        kernel(random_floats(random, s.window.taps() * s.in_channels * s.out_channels)),
        packed_kernel(packed_kernel_words(s.out_channels, s.window.taps(), s.in_channels)),
        tap_bits(tap_bits_size(s.out_channels, s.window.taps())),
        sums(time, frequency, s.out_channels) {
    pack();
    for (int t = 0; t < time; ++t) {
      for (int f = 0; f < frequency; ++f) {
        for (int o = 0; o < s.out_channels; ++o) sums.at(t, f, o) = twin(t, f, o);
      }
    }
  }

  void pack() {
    std::fill(packed_kernel.span().begin(), packed_kernel.span().end(), 0);
    pack_kernel(kernel.data(), shape.out_channels, shape.window.taps(), shape.in_channels,
                packed_kernel.data());
    count_tap_bits(packed_kernel.data(), shape.out_channels, shape.window.taps(), shape.in_channels,
                   tap_bits.data());
  }

  // From the definition, on floats, without a bit in sight.
  float twin(int t, int f, int o) const {
    const Window& w = shape.window;
    float sum = 0;
    for (int i = 0; i < w.kernel_time; ++i) {
      for (int j = 0; j < w.kernel_frequency; ++j) {
        const int row = t * w.stride_time - w.pad_time + i;
        const int column = f * w.stride_frequency - w.pad_frequency + j;
        const bool inside = row >= 0 && row < input.time && column >= 0 && column < input.frequency;
        if (!inside && !shape.pad_with_one) continue;
        for (int c = 0; c < shape.in_channels; ++c) {
          const float a = inside ? sign(input.at(row, column, c)) : 1.0F;
          const int tap = i * w.kernel_frequency + j;
          const int at = (tap * shape.in_channels + c) * shape.out_channels + o;
          sum += a * sign(kernel[static_cast<std::size_t>(at)]);
        }
      }
    }
    return sum;
  }
};

std::string describe_shape(const BinaryConv2dShape& shape) {
  return describe(shape.window) + ", " + std::to_string(shape.in_channels) + " -> " +
         std::to_string(shape.out_channels) + " channels, padding " + (shape.pad_with_one ? "one" : "zero");
}

Case random_case(Random& random) {
  const int in_time = between(random, 1, 9);
  const int in_frequency = between(random, 1, 9);
  const RandomWindow w = random_window(random, in_time, in_frequency);
  const BinaryConv2dShape shape{w.window, random_channels(random), random_channels(random, 140),
                                flip(random)};
  return Case(random, shape, in_time, in_frequency, w.time, w.frequency);
}

TEST(BinaryConv2d, SumsEqualTheDefinition) {
  for_seeds(120, [](Random& random) {
    const Case c = random_case(random);
    SCOPED_TRACE(describe_shape(c.shape));
    for_isas([&](const KernelTable& table) {
      Random placing = random;
      const Placed<std::uint64_t> input(placing, packed(c.input));
      const Placed<float> output(placing, c.sums.time, c.sums.frequency, c.sums.channels);
      in_pieces(placing, c.sums.time, [&](int first, int last) {
        table.binary_conv2d(c.shape, input.view(), c.packed_kernel.data(), c.tap_bits.data(), {},
                            output.view(), first, last);
      });
      output.expect(c.sums, 0, c.sums.time);
    });
  });
}

TEST(BinaryConv2d, EpilogueEqualsItsTwin) {
  for_seeds(120, [](Random& random) {
    const Case c = random_case(random);
    SCOPED_TRACE(describe_shape(c.shape));
    const RandomEpilogue epilogue(random, c.sums.time, c.sums.frequency, c.sums.channels);
    Tensor<float> expected(c.sums.time, c.sums.frequency, c.sums.channels);
    for (int t = 0; t < expected.time; ++t) {
      for (int f = 0; f < expected.frequency; ++f) {
        for (int o = 0; o < expected.channels; ++o) {
          expected.at(t, f, o) = epilogue.twin(c.sums.at(t, f, o), t, f, o);
        }
      }
    }
    for_isas([&](const KernelTable& table) {
      Random placing = random;
      const Placed<std::uint64_t> input(placing, packed(c.input));
      expect_convolution(placing, epilogue, expected,
                         [&](const Epilogue& e, View<float> output, int first, int last) {
                           table.binary_conv2d(c.shape, input.view(), c.packed_kernel.data(),
                                               c.tap_bits.data(), e, output, first, last);
                         });
    });
  });
}

// A kernel of nine words and whole areas of pixels at once: tensors without gaps that are no rings, residual
// in place, cut in pieces.
TEST(BinaryConv2d, NineWordsOfTensorsWithoutGaps) {
  struct {
    Window window;
    int inputs;
  } const kernels[] = {{{3, 3, 1, 1, 1, 1}, 64}, {{3, 3, 1, 1, 1, 1}, 50}, {{3, 1, 1, 1, 1, 0}, 192}};
  Random random{12};
  for (const auto& kernel : kernels) {
    for (const bool one : {false, true}) {
      const BinaryConv2dShape shape{kernel.window, kernel.inputs, 64, one};
      SCOPED_TRACE(describe_shape(shape));
      const Case c(random, shape, 12, 11, 12, 11);
      Tensor<float> before = random_tensor(random, 12, 11, 64);
      for_isas([&](const KernelTable& table) {
        const Tensor<std::uint64_t> bits = packed(c.input);
        Tensor<float> sums = before;
        Epilogue epilogue;
        const View<float> output = dense_view(sums.values.data(), 12, 11, 64);
        epilogue.residual = output;
        const auto input = dense_view<const std::uint64_t>(bits.values.data(), 12, 11, bits.channels);
        in_pieces(random, 12, [&](int first, int last) {
          table.binary_conv2d(shape, input, c.packed_kernel.data(), c.tap_bits.data(), epilogue, output,
                              first, last);
        });
        for (std::size_t i = 0; i < sums.values.size(); ++i)
          ASSERT_EQ(sums.values[i], before.values[i] + c.sums.values[i]) << i;
      });
    }
  }
}

// Deep enough that counts per byte must be widened many times, and the largest kernel there is.
TEST(BinaryConv2d, LargestKernelsAndDepths) {
  struct {
    int kernel_time, kernel_frequency, inputs, outputs;
  } const shapes[] = {
      {31, 31, 70, 9}, {3, 3, 1024, 24}, {1, 1, 20'000, 8}, {1, 31, 64, 40}, {31, 1, 128, 64}};
  Random random{11};
  for (const auto& s : shapes) {
    for (const bool one : {false, true}) {
      const BinaryConv2dShape shape{
          {s.kernel_time, s.kernel_frequency, 1, 1, s.kernel_time / 2, s.kernel_frequency / 2},
          s.inputs,
          s.outputs,
          one};
      SCOPED_TRACE(describe_shape(shape));
      Case c(random, shape, 3, 2, 3, 2);
      // All products -1: the largest counts.
      for (float& value : c.input.values) value = -1;
      for (float& value : c.kernel) value = 1;
      c.pack();
      for (int t = 0; t < 3; ++t) {
        for (int f = 0; f < 2; ++f) {
          for (int o = 0; o < s.outputs; ++o) c.sums.at(t, f, o) = c.twin(t, f, o);
        }
      }
      for_isas([&](const KernelTable& table) {
        const Placed<std::uint64_t> input(random, packed(c.input));
        const Placed<float> output(random, 3, 2, s.outputs);
        table.binary_conv2d(shape, input.view(), c.packed_kernel.data(), c.tap_bits.data(), {}, output.view(),
                            0, 3);
        output.expect(c.sums, 0, 3);
      });
    }
  }
}

// A ring with room for just the rows of one window, filled as the window moves: as a live stream would.
TEST(BinaryConv2d, RingOfOneWindow) {
  for_seeds(20, [](Random& random) {
    const int in_time = between(random, 8, 20);
    const int in_frequency = between(random, 1, 6);
    const RandomWindow w = random_window(random, in_time, in_frequency, 4);
    const BinaryConv2dShape shape{w.window, random_channels(random, 70), random_channels(random, 70),
                                  flip(random)};
    const Case c(random, shape, in_time, in_frequency, w.time, w.frequency);
    const Tensor<std::uint64_t> bits = packed(c.input);
    const auto row_words = static_cast<std::size_t>(in_frequency) * static_cast<std::size_t>(bits.channels);
    for_isas([&](const KernelTable& table) {
      const int ring = w.window.kernel_time;
      std::vector<std::uint64_t> memory(static_cast<std::size_t>(ring) * row_words);
      const auto input =
          ring_view<std::uint64_t>(memory.data(), in_time, in_frequency, bits.channels, ring, ring / 2);
      int written = 0;
      for (int t = 0; t < w.time; ++t) {
        const int end = std::min(in_time, t * w.window.stride_time - w.window.pad_time + ring);
        for (; written < end; ++written) {
          std::copy_n(&bits.at(written, 0, 0), row_words, input.row(written));
        }
        Tensor<float> output(w.time, w.frequency, shape.out_channels);
        table.binary_conv2d(shape, input, c.packed_kernel.data(), c.tap_bits.data(), {},
                            dense_view(output.values.data(), w.time, w.frequency, shape.out_channels), t,
                            t + 1);
        for (int f = 0; f < w.frequency; ++f) {
          for (int o = 0; o < shape.out_channels; ++o) ASSERT_EQ(output.at(t, f, o), c.sums.at(t, f, o));
        }
      }
    });
  });
}

}  // namespace
}  // namespace bittern::kernels::testing
