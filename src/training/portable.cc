#include "training/portable.h"

#include <cmath>
#include <limits>

#include "training/quantizers.h"
#include "training/sliding_window.h"
#include "training/torch.h"

namespace bittern::training::portable {
namespace {

// Between our layout [time, frequency, clips, channels] and torch's [clips, channels, time, frequency]; the
// same permutation both ways.
at::Tensor swapped(const at::Tensor& x) { return x.permute({2, 3, 0, 1}).contiguous(); }

// x in torch's layout with `value` around it.
at::Tensor padded(const at::Tensor& x, const SlidingWindow& window, double value) {
  const auto time = window.time_padding();
  const auto frequency = window.frequency_padding();
  return at::constant_pad_nd(x, {frequency.before, frequency.after, time.before, time.after}, value);
}

template <class Op>
std::vector<std::int64_t> stride_of(const Op& op) {
  return {op.stride.time, op.stride.frequency};
}

template <class Pool>
std::vector<std::int64_t> kernel_of(const Pool& pool) {
  return {pool.kernel.time, pool.kernel.frequency};
}

}  // namespace

at::Tensor binary_convolution(const at::Tensor& x, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution) {
  const at::Tensor signs = convolution.input_quantizer == graph::Quantizer::kApproxSign
                               ? approx_sign(x)
                               : ste_sign(x, convolution.input_clip);
  const double outside = convolution.pad_value == graph::BinaryPadding::kOne ? 1 : 0;
  const at::Tensor taps =
      kernel.reshape({convolution.kernel.time, convolution.kernel.frequency, kernel.size(1), kernel.size(2)});
  return swapped(at::conv2d(padded(swapped(signs), window_of(x, convolution), outside),
                            taps.permute({3, 2, 0, 1}).contiguous(), {}, stride_of(convolution)));
}

at::Tensor convolution(const at::Tensor& x, const at::Tensor& kernel, const graph::Conv2d& attributes) {
  return swapped(at::conv2d(padded(swapped(x), window_of(x, attributes), 0),
                            kernel.permute({3, 2, 0, 1}).contiguous(), {}, stride_of(attributes),
                            at::IntArrayRef{0, 0}, at::IntArrayRef{1, 1}, attributes.groups));
}

at::Tensor max_pool(const at::Tensor& x, const graph::MaxPool& pool) {
  const at::Tensor input = padded(swapped(x), window_of(x, pool), -std::numeric_limits<double>::infinity());
  return swapped(at::max_pool2d(input, kernel_of(pool), stride_of(pool)));
}

at::Tensor prelu(const at::Tensor& x, const at::Tensor& slope) { return at::where(x > 0, x, x * slope); }

at::Tensor average_pool(const at::Tensor& x, const graph::AvgPool& pool) {
  const SlidingWindow window = window_of(x, pool);
  const auto sum = [&](const at::Tensor& values) {
    return at::avg_pool2d(padded(values, window, 0), kernel_of(pool), stride_of(pool), 0, false, true, 1);
  };
  const at::Tensor pixels = sum(at::ones({1, 1, x.size(0), x.size(1)}, x.options()));
  return swapped(sum(swapped(x)) / pixels);
}

Normalized batch_norm(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta,
                      const BatchNormSettings& settings) {
  const at::Tensor input = settings.relu_first ? at::relu(x) : x;
  const at::Tensor mean = input.mean(0);
  const at::Tensor centred = input - mean;
  const at::Tensor variance = centred.square().mean(0);
  const at::Tensor y = centred * at::rsqrt(variance + settings.epsilon) * gamma + beta;
  return {y, mean.detach(), variance.detach()};
}

void bop_step(const at::Tensor& weights, const at::Tensor& gradients, const at::Tensor& averages, float gamma,
              float threshold) {
  averages.add_((gradients - averages) * gamma);
  const at::Tensor margin = weights * averages - threshold;
  weights.copy_(training::sign(-at::sign(margin) * weights));
}

void adam_step(const at::Tensor& weights, const at::Tensor& gradients, const at::Tensor& first,
               const at::Tensor& second, const AdamSettings& settings, std::int64_t step) {
  const auto n = static_cast<double>(step);
  first.mul_(settings.beta1).add_(gradients, 1.0 - settings.beta1);
  second.mul_(settings.beta2).addcmul_(gradients, gradients, 1.0 - settings.beta2);
  const double rate = settings.learning_rate / (1.0 - std::pow(settings.beta1, n));
  const double root = std::sqrt(1.0 - std::pow(settings.beta2, n));
  weights.addcdiv_(first, (second.sqrt() / root).add_(settings.epsilon), -rate);
}

}  // namespace bittern::training::portable
