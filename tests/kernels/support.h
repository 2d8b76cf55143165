// Tensors for tests: an obvious one, and one placed awkwardly in guarded memory.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/bits.h"
#include "core/isa.h"
#include "core/random.h"
#include "kernels/kernels.h"

namespace bittern::kernels::testing {

// Dense [time, frequency, channels].
template <class T>
struct Tensor {
  int time;
  int frequency;
  int channels;
  std::vector<T> values;

  Tensor(int t, int f, int c)
      : time(t),
        frequency(f),
        channels(c),
        values(static_cast<std::size_t>(t) * static_cast<std::size_t>(f) * static_cast<std::size_t>(c)) {}
  T& at(int t, int f, int c) { return values[index(t, f, c)]; }
  const T& at(int t, int f, int c) const { return values[index(t, f, c)]; }
  std::size_t index(int t, int f, int c) const {
    return (static_cast<std::size_t>(t) * static_cast<std::size_t>(frequency) + static_cast<std::size_t>(f)) *
               static_cast<std::size_t>(channels) +
           static_cast<std::size_t>(c);
  }
};

// A value that no kernel writes: it stands around and between a placed tensor's elements.
template <class T>
T guard_value() {
  if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(-12345.678F);
  } else {
    return static_cast<T>(0x5A5A5A5A5A5A5A5AU);
  }
}

inline int between(Random& random, int low, int high) {  // inclusive
  return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low) + 1));
}
inline bool flip(Random& random) { return random.below(2) == 0; }

// Bits of a float, so that -0 and NaN compare as what they are.
template <class T>
auto bits_of(T value) {
  if constexpr (std::is_same_v<T, float>) {
    return std::bit_cast<std::uint32_t>(value);
  } else {
    return value;
  }
}

// Room for a tensor at a random offset, with random strides, as a ring (with all rows in it) or not.
template <class T>
class Placed {
 public:
  Placed(Random& random, int time, int frequency, int channels) {
    const bool tight = between(random, 0, 2) == 0;  // no gaps: kernels may have a shorter way then
    const int pixel_stride = channels + (tight ? 0 : between(random, 0, 9));
    const int row_stride = frequency * pixel_stride + (tight ? 0 : between(random, 0, 9));
    const int ring = flip(random) ? 0 : time + between(random, 0, 3);
    const int offset = between(random, 1, 20);
    const int rows = ring == 0 ? time : ring;
    memory_.assign(static_cast<std::size_t>(rows) * row_stride + offset + 20, guard_value<T>());
    view_ = {memory_.data() + offset,
             time,
             frequency,
             channels,
             pixel_stride,
             row_stride,
             ring,
             ring == 0 ? 0 : between(random, 0, ring - 1)};
  }
  Placed(Random& random, const Tensor<T>& tensor)
      : Placed(random, tensor.time, tensor.frequency, tensor.channels) {
    write(tensor);
  }

  Placed(const Placed&) = delete;
  Placed& operator=(const Placed&) = delete;

  const View<T>& view() const { return view_; }

  void write(const Tensor<T>& tensor) {
    for (int t = 0; t < tensor.time; ++t) {
      for (int f = 0; f < tensor.frequency; ++f) {
        for (int c = 0; c < tensor.channels; ++c) view_.pixel(t, f)[c] = tensor.at(t, f, c);
      }
    }
  }

  // The tensor's rows [first, last) hold the bits of `expected`; every other element of the memory is a
  // guard.
  void expect(const Tensor<T>& expected, int first, int last) const {
    std::vector<T> image(memory_.size(), guard_value<T>());
    for (int t = first; t < last; ++t) {
      for (int f = 0; f < expected.frequency; ++f) {
        for (int c = 0; c < expected.channels; ++c) {
          image[static_cast<std::size_t>(view_.pixel(t, f) + c - memory_.data())] = expected.at(t, f, c);
        }
      }
    }
    for (std::size_t i = 0; i < image.size(); ++i) {
      ASSERT_EQ(bits_of(memory_[i]), bits_of(image[i])) << "element " << i << " of the memory: " << where(i);
    }
  }

 private:
  std::string where(std::size_t i) const {
    const auto from = static_cast<std::ptrdiff_t>(i) - (view_.data - memory_.data());
    if (from < 0 || view_.row_stride == 0) return "before the tensor";
    const auto slot = from / view_.row_stride;
    const auto pixel = from % view_.row_stride / view_.pixel_stride;
    const auto channel = from % view_.row_stride % view_.pixel_stride;
    return "slot " + std::to_string(slot) + ", pixel " + std::to_string(pixel) + ", channel " +
           std::to_string(channel);
  }

  std::vector<T> memory_;
  View<T> view_;
};

// Around zero, with exact zeros of both signs among them; `odd`: not-a-number and infinities too.
inline float random_float(Random& random, bool odd = false) {
  switch (random.below(odd ? 12 : 20)) {
    case 0:
      return 0.0F;
    case 1:
      return -0.0F;
    case 2:
      if (odd) return std::numeric_limits<float>::quiet_NaN();
      break;
    case 3:
      if (odd) return flip(random) ? HUGE_VALF : -HUGE_VALF;
      break;
    default:
      break;
  }
  return random.uniform(-2.0F, 2.0F);
}

inline std::vector<float> random_floats(Random& random, int count, bool odd = false) {
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = random_float(random, odd);
  return values;
}

inline Tensor<float> random_tensor(Random& random, int time, int frequency, int channels, bool odd = false) {
  Tensor<float> tensor(time, frequency, channels);
  for (float& value : tensor.values) value = random_float(random, odd);
  return tensor;
}

// Around multiples of vectors, bytes and words.
inline int random_channels(Random& random, int most = 200) {
  static constexpr int kAround[] = {1, 4, 8, 16, 32, 64, 128, 192};
  const int around = kAround[random.below(std::size(kAround))];
  return std::clamp(around + between(random, -2, 2), 1, most);
}

// Calls body(random) `count` times with seeds 1, 2, ...; what fails inside says its seed.
template <class Body>
void for_seeds(std::uint64_t count, const Body& body) {
  for (std::uint64_t seed = 1; seed <= count; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Random random{0x6B65726EU, seed};
    body(random);
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Calls body(table) for every instruction set that this machine can run.
template <class Body>
void for_isas(const Body& body) {
  for (const Isa isa : available_isas()) {
    SCOPED_TRACE("instruction set " + std::string(name(isa)));
    body(kernels(isa));
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// Calls body(first, last) so that [0, rows) is covered in random pieces.
template <class Body>
void in_pieces(Random& random, int rows, const Body& body) {
  for (int first = 0; first < rows;) {
    const int last = flip(random) ? rows : between(random, first, rows);
    body(first, last);
    first = last;
  }
}

// 1-bit activations of a float tensor, by the layout's own reference.
inline Tensor<std::uint64_t> packed(const Tensor<float>& tensor) {
  Tensor<std::uint64_t> bits(tensor.time, tensor.frequency, words_for(tensor.channels));
  for (int t = 0; t < tensor.time; ++t) {
    for (int f = 0; f < tensor.frequency; ++f) {
      pack_row(&tensor.at(t, f, 0), tensor.channels, &bits.at(t, f, 0));
    }
  }
  return bits;
}

// A random window over an input of this size, and the output size that TensorFlow's SAME or VALID, or a
// padding beyond them, gives.
struct RandomWindow {
  Window window;
  int time = 0;
  int frequency = 0;
};
inline RandomWindow random_window(Random& random, int time, int frequency, int most_kernel = 5,
                                  int least_kernel = 1) {
  RandomWindow result;
  Window& w = result.window;
  const auto axis = [&random](int input, int kernel, int stride, int& pad) {
    const int before = between(random, 0, kernel - 1);
    const int after = between(random, 0, kernel - 1);
    if (input + before + after < kernel) {
      pad = kernel - 1;
      return (input + 2 * (kernel - 1) - kernel) / stride + 1;
    }
    pad = before;
    return (input + before + after - kernel) / stride + 1;
  };
  w.kernel_time = between(random, least_kernel, most_kernel);
  w.kernel_frequency = between(random, least_kernel, most_kernel);
  w.stride_time = between(random, 1, 3);
  w.stride_frequency = between(random, 1, 3);
  result.time = axis(time, w.kernel_time, w.stride_time, w.pad_time);
  result.frequency = axis(frequency, w.kernel_frequency, w.stride_frequency, w.pad_frequency);
  return result;
}

inline std::string describe(const Window& w) {
  return "kernel " + std::to_string(w.kernel_time) + "x" + std::to_string(w.kernel_frequency) + " stride " +
         std::to_string(w.stride_time) + "x" + std::to_string(w.stride_frequency) + " pad " +
         std::to_string(w.pad_time) + "x" + std::to_string(w.pad_frequency);
}

}  // namespace bittern::kernels::testing
