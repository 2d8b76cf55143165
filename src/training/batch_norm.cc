#include "training/batch_norm.h"

#include <cmath>
#include <limits>
#include <vector>

#include "training/batch_norm_passes.h"
#include "training/portable.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

float floor_of(bool relu_first) { return relu_first ? 0.0F : -std::numeric_limits<float>::infinity(); }

// Of a batch, [channels] each. The norm is max(x, floor) * scale + bias.
struct Statistics {
  Statistics(const at::Tensor& rows, const at::Tensor& gamma, const at::Tensor& beta, double epsilon,
             float floor)
      : mean(at::empty_like(gamma)),
        variance(at::empty_like(gamma)),
        inverse(at::empty_like(gamma)),
        scale(at::empty_like(gamma)),
        bias(at::empty_like(gamma)) {
    const std::int64_t channels = rows.size(1);
    const Moments moments = moments_of(rows.data_ptr<float>(), rows.size(0), channels, floor);
    for (std::int64_t c = 0; c < channels; ++c) {
      const auto i = static_cast<std::size_t>(c);
      const double v = moments.squares[i] / static_cast<double>(moments.count);
      const double inv = 1.0 / std::sqrt(v + epsilon);
      const double s = static_cast<double>(gamma.data_ptr<float>()[c]) * inv;
      mean.data_ptr<float>()[c] = static_cast<float>(moments.mean[i]);
      variance.data_ptr<float>()[c] = static_cast<float>(v);
      inverse.data_ptr<float>()[c] = static_cast<float>(inv);
      scale.data_ptr<float>()[c] = static_cast<float>(s);
      bias.data_ptr<float>()[c] =
          static_cast<float>(static_cast<double>(beta.data_ptr<float>()[c]) - moments.mean[i] * s);
    }
  }
  at::Tensor mean;
  at::Tensor variance;
  at::Tensor inverse;  // 1 / sqrt(variance + epsilon)
  at::Tensor scale;
  at::Tensor bias;
};

// dx = gamma * inverse * (dy - mean(dy) - xhat * mean(dy * xhat)), xhat = (x - mean) * inverse, as dy *
// on_gradient + x * on_value + constant; from the sums of dy and of dy * (x - mean) over `count` values a
// channel.
struct Gradients {
  Gradients(const at::Tensor& of_gamma, const at::Tensor& mean, const at::Tensor& inverse, std::int64_t count,
            const std::vector<double>& sums, const std::vector<double>& dots)
      : gamma(at::empty_like(of_gamma)),
        beta(at::empty_like(of_gamma)),
        on_gradient(sums.size()),
        on_value(sums.size()),
        constant(sums.size()) {
    const auto n = static_cast<double>(count);
    for (std::size_t c = 0; c < sums.size(); ++c) {
      const auto inv = static_cast<double>(inverse.data_ptr<float>()[c]);
      const double dot = dots[c] * inv;  // sum of dy * xhat
      const double scale = static_cast<double>(of_gamma.data_ptr<float>()[c]) * inv;
      gamma.data_ptr<float>()[c] = static_cast<float>(dot);
      beta.data_ptr<float>()[c] = static_cast<float>(sums[c]);
      on_gradient[c] = static_cast<float>(scale);
      on_value[c] = static_cast<float>(-scale * inv * dot / n);
      constant[c] = static_cast<float>(
          -scale * sums[c] / n + scale * inv * dot / n * static_cast<double>(mean.data_ptr<float>()[c]));
    }
  }
  at::Tensor gamma;
  at::Tensor beta;
  std::vector<float> on_gradient;
  std::vector<float> on_value;
  std::vector<float> constant;
};

// x [rows, channels] contiguous; gamma, beta [channels], always defined. Returns y, mean, biased variance.
struct BatchNormFunction : Function<BatchNormFunction> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& gamma,
                               const at::Tensor& beta, double epsilon, bool relu_first) {
    const std::int64_t channels = x.size(1);
    const Statistics of(x, gamma, beta, epsilon, floor_of(relu_first));
    at::Tensor y = at::empty_like(x);
    scale_rows(x.data_ptr<float>(), y.data_ptr<float>(), x.size(0), channels, floor_of(relu_first),
               of.scale.data_ptr<float>(), of.bias.data_ptr<float>());
    context->save_for_backward({x, gamma, of.mean, of.inverse});
    context->saved_data["relu_first"] = relu_first;
    context->mark_non_differentiable({of.mean, of.variance});
    return {y, of.mean, of.variance};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const float floor = floor_of(context->saved_data["relu_first"].toBool());
    const at::Tensor dy = gradients[0].contiguous();
    const std::int64_t rows = x.size(0);
    const std::int64_t channels = x.size(1);
    std::vector<double> sums;
    std::vector<double> dots;
    gradient_sums(x.data_ptr<float>(), dy.data_ptr<float>(), rows, channels, floor,
                  saved[2].data_ptr<float>(), sums, dots);
    const Gradients of(saved[1], saved[2], saved[3], rows, sums, dots);
    at::Tensor dx = at::empty_like(x);
    gradient_rows(x.data_ptr<float>(), dy.data_ptr<float>(), dx.data_ptr<float>(), rows, channels, floor,
                  of.on_gradient.data(), of.on_value.data(), of.constant.data());
    return {dx, of.gamma, of.beta, at::Tensor(), at::Tensor()};
  }
};

// x [time, frequency, clips, channels] contiguous. Returns what is pooled, mean, biased variance.
struct TimePooledBatchNorm : Function<TimePooledBatchNorm> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& gamma,
                               const at::Tensor& beta, double epsilon, bool relu_first) {
    const std::int64_t channels = x.size(3);
    const std::int64_t rows = x.size(1) * x.size(2);
    const float floor = floor_of(relu_first);
    const Statistics of(x.view({-1, channels}), gamma, beta, epsilon, floor);
    const at::Tensor pooled = at::empty({rows, channels}, gamma.options().requires_grad(false));
    time_mean(x.data_ptr<float>(), x.size(0), rows * channels, floor, pooled.data_ptr<float>());
    const at::Tensor y = at::empty_like(pooled);
    scale_rows(pooled.data_ptr<float>(), y.data_ptr<float>(), rows, channels, floor_of(false),
               of.scale.data_ptr<float>(), of.bias.data_ptr<float>());
    context->save_for_backward({x, gamma, of.mean, of.inverse, pooled});
    context->saved_data["relu_first"] = relu_first;
    context->mark_non_differentiable({of.mean, of.variance});
    return {y.view({x.size(1), x.size(2), channels}).transpose(0, 1).reshape({x.size(2), -1}), of.mean,
            of.variance};
  }

  // The gradient of every time step is that of the mean over their number.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const float floor = floor_of(context->saved_data["relu_first"].toBool());
    const std::int64_t channels = x.size(3);
    const std::int64_t rows = x.size(1) * x.size(2);
    const at::Tensor dy = gradients[0].reshape({x.size(2), x.size(1), channels}).transpose(0, 1).contiguous();
    std::vector<double> sums;
    std::vector<double> dots;
    gradient_sums(saved[4].data_ptr<float>(), dy.data_ptr<float>(), rows, channels, floor_of(false),
                  saved[2].data_ptr<float>(), sums, dots);
    Gradients of(saved[1], saved[2], saved[3], x.size(0) * rows, sums, dots);
    for (float& value : of.on_gradient) value /= static_cast<float>(x.size(0));
    const at::Tensor base = at::empty_like(dy);
    scale_rows(dy.data_ptr<float>(), base.data_ptr<float>(), rows, channels, floor_of(false),
               of.on_gradient.data(), of.constant.data());
    at::Tensor dx = at::empty_like(x);
    time_gradient(x.data_ptr<float>(), base.data_ptr<float>(), x.size(0), rows * channels, channels, floor,
                  of.on_value.data(), dx.data_ptr<float>());
    return {dx, of.gamma, of.beta, at::Tensor(), at::Tensor()};
  }
};

at::Tensor gamma_of(const BatchNormState& state) {
  return state.gamma.defined() ? state.gamma : at::ones_like(state.mean);
}

at::Tensor beta_of(const BatchNormState& state) {
  return state.beta.defined() ? state.beta : at::zeros_like(state.mean);
}

// Moves the averages; `count` values a channel.
void remember(const at::Tensor& mean, const at::Tensor& variance, std::int64_t count,
              const BatchNormState& state, const BatchNormSettings& settings) {
  const at::NoGradGuard no_grad;
  const auto n = static_cast<double>(count);
  const double bessel = n > 1 ? n / (n - 1) : 1;
  const auto momentum = static_cast<double>(settings.momentum);
  state.mean.mul_(momentum).add_(mean, 1 - momentum);
  state.variance.mul_(momentum).add_(variance, (1 - momentum) * bessel);
}

portable::Normalized normalized(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta,
                                const BatchNormSettings& settings) {
  const variable_list result =
      BatchNormFunction::apply(x, gamma, beta, static_cast<double>(settings.epsilon), settings.relu_first);
  return {result[0], result[1], result[2]};
}

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const BatchNormState& state, const BatchNormSettings& settings) {
  const at::Tensor rows = x.reshape({-1, x.size(-1)}).contiguous();
  const at::Tensor gamma = gamma_of(state);
  const at::Tensor beta = beta_of(state);
  const portable::Normalized result = x.is_cpu() ? normalized(rows, gamma, beta, settings)
                                                 : portable::batch_norm(rows, gamma, beta, settings);
  remember(result.mean, result.variance, rows.size(0), state, settings);
  return result.y.reshape(x.sizes());
}

at::Tensor time_pooled_batch_norm(const at::Tensor& x, const BatchNormState& state,
                                  const BatchNormSettings& settings) {
  if (!x.is_cpu())
    return batch_norm(x, state, settings).mean(0).transpose(0, 1).reshape({x.size(2), x.size(1) * x.size(3)});
  const variable_list result =
      TimePooledBatchNorm::apply(x.contiguous(), gamma_of(state), beta_of(state),
                                 static_cast<double>(settings.epsilon), settings.relu_first);
  remember(result[1], result[2], x.numel() / x.size(3), state, settings);
  return result[0];
}

FoldedBatchNorm fold(const BatchNormState& state, float epsilon) {
  const at::NoGradGuard no_grad;
  at::Tensor scale = at::rsqrt(state.variance.to(at::kDouble) + static_cast<double>(epsilon));
  if (state.gamma.defined()) scale = scale * state.gamma.to(at::kDouble);
  at::Tensor bias = -state.mean.to(at::kDouble) * scale;
  if (state.beta.defined()) bias = bias + state.beta.to(at::kDouble);
  return {scale.to(at::kFloat), bias.to(at::kFloat)};
}

at::Tensor folded_batch_norm(const at::Tensor& x, const BatchNormState& state,
                             const BatchNormSettings& settings) {
  const FoldedBatchNorm folded = fold(state, settings.epsilon);
  const at::Tensor input = settings.relu_first ? at::relu(x) : x;
  return (input * folded.scale).add_(folded.bias);
}

}  // namespace bittern::training
