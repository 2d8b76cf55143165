#include "training/pooling.h"

#include <limits>

#include "training/torch.h"

namespace bittern::training {
namespace {

// [time, frequency, clips, channels] <-> torch's [clips, channels, time, frequency].
at::Tensor to_torch(const at::Tensor& x) { return x.permute({2, 3, 0, 1}); }
at::Tensor from_torch(const at::Tensor& x) { return x.permute({2, 3, 0, 1}).contiguous(); }

// Pads torch's layout as TensorFlow would for this window.
at::Tensor padded(const at::Tensor& x, graph::Extent kernel, graph::Extent stride, graph::Padding padding,
                  double value) {
  const auto sides = [](std::int64_t input, int size, int step, graph::Padding rule) {
    const graph::Window window = graph::window(static_cast<int>(input), size, step, rule);
    const std::int64_t total = std::max<std::int64_t>((window.output - 1) * step + size - input, 0);
    return std::pair<std::int64_t, std::int64_t>(window.before, total - window.before);
  };
  const auto [top, bottom] = sides(x.size(2), kernel.time, stride.time, padding);
  const auto [left, right] = sides(x.size(3), kernel.frequency, stride.frequency, padding);
  if (top + bottom + left + right == 0) return x;
  return at::constant_pad_nd(x, {left, right, top, bottom}, value);
}

}  // namespace

at::Tensor max_pool(const at::Tensor& x, const graph::MaxPool& pool) {
  const at::Tensor input = padded(to_torch(x).contiguous(), pool.kernel, pool.stride, pool.padding,
                                  -std::numeric_limits<double>::infinity());
  return from_torch(at::max_pool2d(input, {pool.kernel.time, pool.kernel.frequency},
                                   {pool.stride.time, pool.stride.frequency}));
}

at::Tensor average_pool(const at::Tensor& x, const graph::AvgPool& pool) {
  const auto sum = [&](const at::Tensor& values) {
    const at::Tensor input = padded(values, pool.kernel, pool.stride, pool.padding, 0);
    return at::avg_pool2d(input, {pool.kernel.time, pool.kernel.frequency},
                          {pool.stride.time, pool.stride.frequency}, 0, false, true, 1);
  };
  const at::Tensor pixels = sum(at::ones({1, 1, x.size(0), x.size(1)}, x.options()));
  return from_torch(sum(to_torch(x).contiguous()) / pixels);
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& bias,
                       const graph::Conv2d& attributes) {
  const bool pointwise = attributes.kernel == graph::Extent{1, 1} &&
                         attributes.stride == graph::Extent{1, 1} && attributes.groups == 1;
  if (pointwise) {
    const at::Tensor rows = x.reshape({-1, x.size(3)});
    const at::Tensor matrix = kernel.reshape({kernel.size(2), kernel.size(3)});
    const at::Tensor y = bias.defined() ? at::addmm(bias, rows, matrix) : at::mm(rows, matrix);
    return y.reshape({x.size(0), x.size(1), x.size(2), kernel.size(3)});
  }
  const at::Tensor input =
      padded(to_torch(x), attributes.kernel, attributes.stride, attributes.padding, 0).contiguous();
  return from_torch(at::conv2d(input, kernel.permute({3, 2, 0, 1}).contiguous(), bias,
                               {attributes.stride.time, attributes.stride.frequency}, at::IntArrayRef{0, 0},
                               {1, 1}, attributes.groups));
}

}  // namespace bittern::training
