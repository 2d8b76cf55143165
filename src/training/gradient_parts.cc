#include "training/gradient_parts.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

// dx = dsigns where |x| <= clip, else 0.
BITTERN_VECTORISED void pass_inside(const float* x, const float* dsigns, float clip, float* dx,
                                    std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) dx[i] = std::abs(x[i]) <= clip ? dsigns[i] : 0.0F;
}

// dx = dsigns (2 - 2 |x|) where |x| <= 1, else 0.
BITTERN_VECTORISED void pass_triangle(const float* x, const float* dsigns, float* dx, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const float size = std::abs(x[i]);
    const float product = dsigns[i] * (2.0F - 2.0F * size);
    dx[i] = size <= 1.0F ? product : 0.0F;
  }
}

// sums[c] = sum over clips of values[clip][c].
BITTERN_VECTORISED void add_clips(const float* values, std::int64_t clips, std::int64_t channels,
                                  float* sums) {
  std::fill_n(sums, channels, 0.0F);
  for (std::int64_t n = 0; n < clips; ++n, values += channels)
    for (std::int64_t c = 0; c < channels; ++c) sums[c] += values[c];
}

}  // namespace

BITTERN_VECTORISED void add_each(const float* from, float* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] += from[i];
}

void pass_signs(const graph::BinaryConv2d& convolution, const float* x, const float* dsigns, float* dx,
                std::int64_t count) {
  if (convolution.input_quantizer == graph::Quantizer::kApproxSign) {
    pass_triangle(x, dsigns, dx, count);
  } else {
    pass_inside(x, dsigns, convolution.input_clip, dx, count);
  }
}

void add_padding_gradient(const graph::BinaryConv2d& convolution, const SlidingWindow& window,
                          const at::Tensor& dy, const at::Tensor& dkernel) {
  if (convolution.pad_value != graph::BinaryPadding::kOne) return;
  const std::int64_t in = dkernel.size(1);
  const std::int64_t out = dkernel.size(2);
  const std::int64_t clips = dy.size(2);
  const std::int64_t pixels = dy.size(0) * dy.size(1);
  // [pixel, out]; only a pixel with a tap outside is read.
  std::vector<float> pixel_sums(static_cast<std::size_t>(pixels * out));
  at::parallel_for(0, pixels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pixel = begin; pixel < end; ++pixel) {
      const auto row = static_cast<int>(pixel / dy.size(1));
      const auto column = static_cast<int>(pixel % dy.size(1));
      for (int tap = 0; tap < window.taps(); ++tap) {
        if (window.input_pixel(row, column, tap) >= 0) continue;
        add_clips(dy.data_ptr<float>() + pixel * clips * out, clips, out, pixel_sums.data() + pixel * out);
        break;
      }
    }
  });
  std::vector<float> sums(static_cast<std::size_t>(out));
  for (int tap = 0; tap < window.taps(); ++tap) {
    std::fill(sums.begin(), sums.end(), 0.0F);
    for (int row = 0; row < window.out_time(); ++row) {
      for (int column = 0; column < window.out_frequency(); ++column) {
        if (window.input_pixel(row, column, tap) >= 0) continue;
        add_each(pixel_sums.data() + (std::int64_t{row} * window.out_frequency() + column) * out, sums.data(),
                 out);
      }
    }
    float* to = dkernel.data_ptr<float>() + tap * in * out;
    for (std::int64_t c = 0; c < in; ++c) add_each(sums.data(), to + c * out, out);
  }
}

}  // namespace bittern::training
