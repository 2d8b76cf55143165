#include "training/convolution.h"

#include <cstring>

#include "training/grouped_convolution.h"
#include "training/portable.h"
#include "training/product.h"
#include "training/saved_attributes.h"
#include "training/sliding_window.h"
#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// y[n][c] += x[n][c] * weights[c]
BITTERN_VECTORISED void add_products(const float* __restrict x, const float* __restrict weights,
                                     float* __restrict y, std::int64_t clips, std::int64_t channels) {
  for (std::int64_t n = 0; n < clips; ++n, x += channels, y += channels)
    for (std::int64_t c = 0; c < channels; ++c) y[c] += x[c] * weights[c];
}

// sums[c] += sum over n of x[n][c] * y[n][c]
BITTERN_VECTORISED void add_dots(const float* __restrict x, const float* __restrict y, float* __restrict sums,
                                 std::int64_t clips, std::int64_t channels) {
  for (std::int64_t n = 0; n < clips; ++n, x += channels, y += channels)
    for (std::int64_t c = 0; c < channels; ++c) sums[c] += x[c] * y[c];
}

// A channel sees itself only: kernel [taps, channels].
struct Depthwise : Function<Depthwise> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& kernel,
                            const graph::Conv2d* attributes) {
    context->save_for_backward({x, kernel});
    save_attributes(context, attributes);
    const SlidingWindow window = window_of(x, *attributes);
    at::Tensor y = at::zeros({window.out_time(), window.out_frequency(), x.size(2), x.size(3)}, x.options());
    const std::int64_t clips = x.size(2);
    const std::int64_t channels = x.size(3);
    at::parallel_for(0, clips, 8, [&](std::int64_t begin, std::int64_t end) {
      window.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
        add_products(x.data_ptr<float>() + (in * clips + begin) * channels,
                     kernel.data_ptr<float>() + tap * channels,
                     y.data_ptr<float>() + (out * clips + begin) * channels, end - begin, channels);
      });
    });
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& kernel = saved[1];
    const auto& attributes = saved_attributes<graph::Conv2d>(context);
    const SlidingWindow window = window_of(x, attributes);
    const at::Tensor dy = gradients[0].contiguous();
    const std::int64_t clips = x.size(2);
    const std::int64_t channels = x.size(3);
    at::Tensor dx = at::zeros_like(x);
    at::parallel_for(0, clips, 8, [&](std::int64_t begin, std::int64_t end) {
      window.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
        add_products(dy.data_ptr<float>() + (out * clips + begin) * channels,
                     kernel.data_ptr<float>() + tap * channels,
                     dx.data_ptr<float>() + (in * clips + begin) * channels, end - begin, channels);
      });
    });
    if (!context->needs_input_grad(1)) return {dx, at::Tensor(), at::Tensor()};
    at::Tensor dkernel = at::zeros_like(kernel);
    at::parallel_for(0, window.taps(), 1, [&](std::int64_t begin, std::int64_t end) {
      window.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
        if (tap < begin || tap >= end) return;
        add_dots(x.data_ptr<float>() + in * clips * channels, dy.data_ptr<float>() + out * clips * channels,
                 dkernel.data_ptr<float>() + tap * channels, clips, channels);
      });
    });
    return {dx, dkernel, at::Tensor()};
  }
};

// The inputs of every output side by side: [outputs x clips, taps, channels], 0 outside the input.
struct Unfold : Function<Unfold> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const graph::Conv2d* attributes) {
    save_attributes(context, attributes);
    context->saved_data["sizes"] = x.sizes().vec();
    const SlidingWindow window = window_of(x, *attributes);
    const std::int64_t clips = x.size(2);
    const std::int64_t channels = x.size(3);
    const std::int64_t width = window.taps() * channels;
    at::Tensor unfolded =
        at::zeros({std::int64_t{window.out_time()} * window.out_frequency() * clips, window.taps(), channels},
                  x.options());
    window.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
      const float* from = x.data_ptr<float>() + in * clips * channels;
      float* to = unfolded.data_ptr<float>() + out * clips * width + tap * channels;
      for (std::int64_t n = 0; n < clips; ++n, from += channels, to += width)
        std::memcpy(to, from, static_cast<std::size_t>(channels) * sizeof(float));
    });
    return unfolded;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto& attributes = saved_attributes<graph::Conv2d>(context);
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::zeros(context->saved_data["sizes"].toIntVector(), dy.options());
    const SlidingWindow window = window_of(dx, attributes);
    const std::int64_t clips = dx.size(2);
    const std::int64_t channels = dx.size(3);
    const std::int64_t width = window.taps() * channels;
    window.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
      const float* from = dy.data_ptr<float>() + out * clips * width + tap * channels;
      float* to = dx.data_ptr<float>() + in * clips * channels;
      for (std::int64_t n = 0; n < clips; ++n, from += width, to += channels)
        for (std::int64_t c = 0; c < channels; ++c) to[c] += from[c];
    });
    return {dx, at::Tensor()};
  }
};

// As a matrix product of unfolded inputs.
at::Tensor unfolded_convolution(const at::Tensor& x, const at::Tensor& kernel,
                                const graph::Conv2d& attributes) {
  const SlidingWindow window = window_of(x, attributes);
  const std::int64_t width = window.taps() * kernel.size(2);
  return product(Unfold::apply(x, &attributes).view({-1, width}),
                 kernel.reshape({width, kernel.size(3)}).contiguous())
      .view({window.out_time(), window.out_frequency(), x.size(2), kernel.size(3)});
}

at::Tensor without_bias(const at::Tensor& x, const at::Tensor& kernel, const graph::Conv2d& attributes) {
  const bool depthwise = attributes.groups > 1 && kernel.size(2) == 1 && kernel.size(3) == attributes.groups;
  if (attributes.kernel == graph::Extent{1, 1} && attributes.stride == graph::Extent{1, 1} &&
      attributes.groups == 1) {
    const at::Tensor matrix = kernel.reshape({kernel.size(2), kernel.size(3)});
    if (!x.is_cpu()) return at::matmul(x, matrix);
    return product(x.reshape({-1, x.size(3)}).contiguous(), matrix.contiguous())
        .view({x.size(0), x.size(1), x.size(2), kernel.size(3)});
  }
  if (!x.is_cpu()) return portable::convolution(x, kernel, attributes);
  if (depthwise)
    return Depthwise::apply(x.contiguous(), kernel.reshape({-1, kernel.size(3)}).contiguous(), &attributes);
  if (attributes.groups > 1) {
    return grouped_convolution(x.contiguous(),
                               kernel.reshape({-1, kernel.size(2), kernel.size(3)}).contiguous(), attributes);
  }
  return unfolded_convolution(x.contiguous(), kernel, attributes);
}

}  // namespace

at::Tensor convolution(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias,
                       const graph::Conv2d& attributes) {
  const at::Tensor y = without_bias(x, kernel, attributes);
  return bias.defined() ? y + bias : y;
}

}  // namespace bittern::training
