#include "training/batch_norm.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "training/portable.h"
#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Sums are taken per chunk of rows and the chunks added in order, so that the bits do not depend on the
// number of threads.
constexpr std::int64_t kChunkRows = 512;
constexpr std::int64_t kBlockRows = 64;  // centred sums of squares are taken while a block is in the cache

std::int64_t chunks_of(std::int64_t rows) { return (rows + kChunkRows - 1) / kChunkRows; }

struct Moments {  // of `count` rows, per channel
  std::int64_t count = 0;
  std::vector<double> mean;
  std::vector<double> squares;  // sum of (x - mean)^2
};

// Chan, Golub, LeVeque 1979. share = b / n, both = a * b / n for a values merged with b more, n in all.
BITTERN_VECTORISED void merge_each(const double* __restrict mean, const double* __restrict squares,
                                   std::size_t channels, double share, double both,
                                   double* __restrict all_mean, double* __restrict all_squares) {
  for (std::size_t c = 0; c < channels; ++c) {
    const double difference = mean[c] - all_mean[c];
    all_mean[c] += difference * share;
    all_squares[c] += squares[c] + difference * difference * both;
  }
}

void merge(Moments& into, std::int64_t count, const double* mean, const double* squares) {
  const auto a = static_cast<double>(into.count);
  const auto b = static_cast<double>(count);
  merge_each(mean, squares, into.mean.size(), b / (a + b), a * b / (a + b), into.mean.data(),
             into.squares.data());
  into.count += count;
}

BITTERN_VECTORISED void sum_rows(const float* __restrict x, std::int64_t rows, std::int64_t channels,
                                 float floor, float* __restrict sum) {
  std::fill_n(sum, channels, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r, x += channels)
    for (std::int64_t c = 0; c < channels; ++c) sum[c] += std::max(x[c], floor);
}

BITTERN_VECTORISED void sum_squares(const float* __restrict x, std::int64_t rows, std::int64_t channels,
                                    float floor, const float* __restrict mean, float* __restrict sum) {
  std::fill_n(sum, channels, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r, x += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float centred = std::max(x[c], floor) - mean[c];
      sum[c] += centred * centred;
    }
  }
}

Moments chunk_moments(const float* x, std::int64_t rows, std::int64_t channels, float floor) {
  const auto width = static_cast<std::size_t>(channels);
  Moments moments{0, std::vector<double>(width), std::vector<double>(width)};
  std::vector<float> mean(width);
  std::vector<float> squares(width);
  std::vector<double> block_mean(width);
  std::vector<double> block_squares(width);
  for (std::int64_t first = 0; first < rows; first += kBlockRows) {
    const std::int64_t count = std::min(kBlockRows, rows - first);
    const float* block = x + first * channels;
    sum_rows(block, count, channels, floor, mean.data());
    for (float& value : mean) value /= static_cast<float>(count);
    sum_squares(block, count, channels, floor, mean.data(), squares.data());
    std::copy(mean.begin(), mean.end(), block_mean.begin());
    std::copy(squares.begin(), squares.end(), block_squares.begin());
    merge(moments, count, block_mean.data(), block_squares.data());
  }
  return moments;
}

Moments moments_of(const float* x, std::int64_t rows, std::int64_t channels, float floor) {
  std::vector<Moments> chunks(static_cast<std::size_t>(chunks_of(rows)));
  at::parallel_for(0, chunks_of(rows), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * kChunkRows;
      chunks[static_cast<std::size_t>(i)] =
          chunk_moments(x + first * channels, std::min(kChunkRows, rows - first), channels, floor);
    }
  });
  Moments all = std::move(chunks.front());
  for (std::size_t i = 1; i < chunks.size(); ++i)
    merge(all, chunks[i].count, chunks[i].mean.data(), chunks[i].squares.data());
  return all;
}

// y = max(x, floor) * scale + bias.
BITTERN_VECTORISED void scale_some(const float* __restrict x, float* __restrict y, std::int64_t rows,
                                   std::int64_t channels, float floor, const float* __restrict scale,
                                   const float* __restrict bias) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, y += channels)
    for (std::int64_t c = 0; c < channels; ++c) y[c] = std::max(x[c], floor) * scale[c] + bias[c];
}

void scale_rows(const float* x, float* y, std::int64_t rows, std::int64_t channels, float floor,
                const float* scale, const float* bias) {
  at::parallel_for(0, rows, kChunkRows, [&](std::int64_t begin, std::int64_t end) {
    scale_some(x + begin * channels, y + begin * channels, end - begin, channels, floor, scale, bias);
  });
}

// dx = (dy * on_gradient + max(x, floor) * on_value + constant) where x > floor, else 0.
BITTERN_VECTORISED void gradient_some(const float* __restrict x, const float* __restrict dy,
                                      float* __restrict dx, std::int64_t rows, std::int64_t channels,
                                      float floor, const float* __restrict on_gradient,
                                      const float* __restrict on_value, const float* __restrict constant) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, dy += channels, dx += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float full = dy[c] * on_gradient[c] + x[c] * on_value[c] + constant[c];
      dx[c] = x[c] > floor ? full : 0.0F;
    }
  }
}

void gradient_rows(const float* x, const float* dy, float* dx, std::int64_t rows, std::int64_t channels,
                   float floor, const float* on_gradient, const float* on_value, const float* constant) {
  at::parallel_for(0, rows, kChunkRows, [&](std::int64_t begin, std::int64_t end) {
    gradient_some(x + begin * channels, dy + begin * channels, dx + begin * channels, end - begin, channels,
                  floor, on_gradient, on_value, constant);
  });
}

BITTERN_VECTORISED void add_gradient_sums(const float* __restrict x, const float* __restrict dy,
                                          std::int64_t rows, std::int64_t channels, float floor,
                                          const float* __restrict mean, float* __restrict sum,
                                          float* __restrict dot) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, dy += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      sum[c] += dy[c];
      dot[c] += dy[c] * (std::max(x[c], floor) - mean[c]);
    }
  }
}

// sums[c] = sum of dy, dots[c] = sum of dy * (max(x, floor) - mean).
void gradient_sums(const float* x, const float* dy, std::int64_t rows, std::int64_t channels, float floor,
                   const float* mean, std::vector<double>& sums, std::vector<double>& dots) {
  const auto width = static_cast<std::size_t>(channels);
  const std::int64_t chunks = chunks_of(rows);
  std::vector<float> partial(static_cast<std::size_t>(chunks) * width * 2);
  at::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * kChunkRows;
      float* sum = partial.data() + i * channels * 2;
      add_gradient_sums(x + first * channels, dy + first * channels, std::min(kChunkRows, rows - first),
                        channels, floor, mean, sum, sum + channels);
    }
  });
  sums.assign(width, 0.0);
  dots.assign(width, 0.0);
  for (std::int64_t i = 0; i < chunks; ++i) {
    const float* sum = partial.data() + i * channels * 2;
    for (std::size_t c = 0; c < width; ++c) {
      sums[c] += static_cast<double>(sum[c]);
      dots[c] += static_cast<double>(sum[width + c]);
    }
  }
}

float floor_of(bool relu_first) { return relu_first ? 0.0F : -std::numeric_limits<float>::infinity(); }

// x [rows, channels] contiguous; gamma, beta [channels], always defined. Returns y, mean, biased variance.
struct BatchNormFunction : Function<BatchNormFunction> {
  static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& gamma,
                               const at::Tensor& beta, double epsilon, bool relu_first) {
    const std::int64_t channels = x.size(1);
    const Moments moments = moments_of(x.data_ptr<float>(), x.size(0), channels, floor_of(relu_first));
    const at::Tensor mean = at::empty_like(gamma);
    const at::Tensor variance = at::empty_like(gamma);
    const at::Tensor inverse = at::empty_like(gamma);  // 1 / sqrt(variance + epsilon)
    const at::Tensor scale = at::empty_like(gamma);
    const at::Tensor bias = at::empty_like(gamma);
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
    at::Tensor y = at::empty_like(x);
    scale_rows(x.data_ptr<float>(), y.data_ptr<float>(), x.size(0), channels, floor_of(relu_first),
               scale.data_ptr<float>(), bias.data_ptr<float>());
    context->save_for_backward({x, gamma, mean, inverse});
    context->saved_data["relu_first"] = relu_first;
    context->mark_non_differentiable({mean, variance});
    return {y, mean, variance};
  }

  // dx = gamma * inverse * (dy - mean(dy) - xhat * mean(dy * xhat)), xhat = (x - mean) * inverse.
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const float* gamma = saved[1].data_ptr<float>();
    const float* mean = saved[2].data_ptr<float>();
    const float* inverse = saved[3].data_ptr<float>();
    const float floor = floor_of(context->saved_data["relu_first"].toBool());
    const at::Tensor dy = gradients[0].contiguous();
    const std::int64_t rows = x.size(0);
    const std::int64_t channels = x.size(1);

    std::vector<double> sums;
    std::vector<double> dots;
    gradient_sums(x.data_ptr<float>(), dy.data_ptr<float>(), rows, channels, floor, mean, sums, dots);
    const at::Tensor dgamma = at::empty_like(saved[1]);
    const at::Tensor dbeta = at::empty_like(saved[1]);
    std::vector<float> on_gradient(sums.size());
    std::vector<float> on_value(sums.size());
    std::vector<float> constant(sums.size());
    const auto n = static_cast<double>(rows);
    for (std::size_t c = 0; c < sums.size(); ++c) {
      const auto inv = static_cast<double>(inverse[c]);
      const double dot = dots[c] * inv;  // sum of dy * xhat
      const double scale = static_cast<double>(gamma[c]) * inv;
      dgamma.data_ptr<float>()[c] = static_cast<float>(dot);
      dbeta.data_ptr<float>()[c] = static_cast<float>(sums[c]);
      on_gradient[c] = static_cast<float>(scale);
      on_value[c] = static_cast<float>(-scale * inv * dot / n);
      constant[c] =
          static_cast<float>(-scale * sums[c] / n + scale * inv * dot / n * static_cast<double>(mean[c]));
    }
    at::Tensor dx = at::empty_like(x);
    gradient_rows(x.data_ptr<float>(), dy.data_ptr<float>(), dx.data_ptr<float>(), rows, channels, floor,
                  on_gradient.data(), on_value.data(), constant.data());
    return {dx, dgamma, dbeta, at::Tensor(), at::Tensor()};
  }
};

portable::Normalized normalized(const at::Tensor& x, const at::Tensor& gamma, const at::Tensor& beta,
                                const BatchNormSettings& settings) {
  const variable_list result =
      BatchNormFunction::apply(x, gamma, beta, static_cast<double>(settings.epsilon), settings.relu_first);
  return {result[0], result[1], result[2]};
}

}  // namespace

at::Tensor batch_norm(const at::Tensor& x, const BatchNormState& state, const BatchNormSettings& settings) {
  const at::Tensor rows = x.reshape({-1, x.size(-1)}).contiguous();
  const at::Tensor gamma = state.gamma.defined() ? state.gamma : at::ones_like(state.mean);
  const at::Tensor beta = state.beta.defined() ? state.beta : at::zeros_like(state.mean);
  const portable::Normalized result = x.is_cpu() ? normalized(rows, gamma, beta, settings)
                                                 : portable::batch_norm(rows, gamma, beta, settings);
  {
    const at::NoGradGuard no_grad;
    const auto n = static_cast<double>(rows.size(0));
    const double bessel = n > 1 ? n / (n - 1) : 1;
    const auto momentum = static_cast<double>(settings.momentum);
    state.mean.mul_(momentum).add_(result.mean, 1 - momentum);
    state.variance.mul_(momentum).add_(result.variance, (1 - momentum) * bessel);
  }
  return result.y.reshape(x.sizes());
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
