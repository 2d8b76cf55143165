// Batch normalisation with Keras' semantics, over the last axis.
#pragma once

#include <ATen/core/Tensor.h>

namespace bittern::training {

struct BatchNormSettings {
  float epsilon = 1e-3F;
  float momentum = 0.99F;
  bool relu_first = false;  // normalises max(x, 0)
};

// Parameters and moving averages of one batch norm, [channels] each. gamma or beta may be undefined: then 1,
// 0.
struct BatchNormState {
  at::Tensor gamma;
  at::Tensor beta;
  at::Tensor mean;
  at::Tensor variance;
};

// Training. x: [..., channels]. y = (x - m) / sqrt(v + epsilon) * gamma + beta with the batch's own mean m
// and its biased variance v. Updates the moving averages in place: moving = momentum * moving + (1 -
// momentum) * batch, where the batch's variance is v * n / (n - 1) (n values a channel; v for n = 1).
at::Tensor batch_norm(const at::Tensor& x, const BatchNormState& state, const BatchNormSettings& settings);

// The mean over time of batch_norm(x): x [time, frequency, clips, channels] -> [clips, frequency x channels].
// What is normalised is never written down.
at::Tensor time_pooled_batch_norm(const at::Tensor& x, const BatchNormState& state,
                                  const BatchNormSettings& settings);

// What remains of it after training: y = x * scale + bias, computed in double and rounded once.
struct FoldedBatchNorm {
  at::Tensor scale;
  at::Tensor bias;
};
FoldedBatchNorm fold(const BatchNormState& state, float epsilon);

// Evaluation: x * scale + bias, the runtime's own two roundings.
at::Tensor folded_batch_norm(const at::Tensor& x, const BatchNormState& state,
                             const BatchNormSettings& settings);

}  // namespace bittern::training
