// Where the windows of a convolution or a pool lie on its input, for tensors [time, frequency, clips,
// channels]: pixels outside, clips and channels together inside.
#pragma once

#include <cstdint>

#include "graph/network.h"

namespace bittern::training {

class SlidingWindow {
 public:
  SlidingWindow(std::int64_t in_time, std::int64_t in_frequency, graph::Extent kernel, graph::Extent stride,
                graph::Padding padding)
      : in_time_(static_cast<int>(in_time)),
        in_frequency_(static_cast<int>(in_frequency)),
        kernel_(kernel),
        stride_(stride),
        time_(graph::window(in_time_, kernel.time, stride.time, padding)),
        frequency_(graph::window(in_frequency_, kernel.frequency, stride.frequency, padding)) {}

  int out_time() const { return time_.output; }
  int out_frequency() const { return frequency_.output; }
  graph::Extent kernel() const { return kernel_; }
  graph::Extent stride() const { return stride_; }
  int taps() const { return kernel_.time * kernel_.frequency; }

  // Index (time * frequencies + frequency) of the input pixel under `tap` of the output pixel, -1 outside.
  std::int64_t input_pixel(int out_row, int out_column, int tap) const {
    const int row = out_row * stride_.time + tap / kernel_.frequency - time_.before;
    const int column = out_column * stride_.frequency + tap % kernel_.frequency - frequency_.before;
    if (row < 0 || row >= in_time_ || column < 0 || column >= in_frequency_) return -1;
    return std::int64_t{row} * in_frequency_ + column;
  }

  // f(output pixel, tap, input pixel) for every tap inside the input; taps of one output in order.
  template <class Function>
  void each_tap(const Function& f) const {
    for (int row = 0; row < out_time(); ++row) {
      for (int column = 0; column < out_frequency(); ++column) {
        for (int tap = 0; tap < taps(); ++tap) {
          const std::int64_t input = input_pixel(row, column, tap);
          if (input >= 0) f(std::int64_t{row} * out_frequency() + column, tap, input);
        }
      }
    }
  }

  // Rows and columns of padding before and after.
  struct Sides {
    int before = 0;
    int after = 0;
  };
  Sides time_padding() const { return sides(time_, in_time_, kernel_.time, stride_.time); }
  Sides frequency_padding() const {
    return sides(frequency_, in_frequency_, kernel_.frequency, stride_.frequency);
  }

 private:
  static Sides sides(graph::Window window, int input, int kernel, int stride) {
    const int reach = (window.output - 1) * stride + kernel - window.before;
    return {window.before, reach > input ? reach - input : 0};
  }

  int in_time_;
  int in_frequency_;
  graph::Extent kernel_;
  graph::Extent stride_;
  graph::Window time_;
  graph::Window frequency_;
};

// Of a convolution or a pool on x [time, frequency, ...]. A template, so that the header needs no torch.
template <class Tensor, class Attributes>
SlidingWindow window_of(const Tensor& x, const Attributes& attributes) {
  return {x.size(0), x.size(1), attributes.kernel, attributes.stride, attributes.padding};
}

}  // namespace bittern::training
