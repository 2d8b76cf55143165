#include "convert/larq_weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cmath>

#include "core/bits.h"

namespace bittern::convert {
namespace {

// The weight's values, or `count` times `otherwise` where the layer has none.
std::vector<float> values_or(const KerasLayer& layer, const std::string& weight, int count, float otherwise) {
  const KerasWeight* found = layer.find(weight);
  return found != nullptr ? found->values : std::vector<float>(static_cast<std::size_t>(count), otherwise);
}

}  // namespace

Expected<std::span<const float>> WeightStorage::keep(const std::vector<float>& values) {
  AlignedBuffer<float> buffer(values.size());
  if (buffer.size() != values.size()) return Error{ErrorCode::kOutOfMemory, "out of memory"};
  std::copy(values.begin(), values.end(), buffer.data());
  floats_.push_back(std::move(buffer));
  return std::span<const float>(floats_.back().span());
}

Expected<std::span<std::uint64_t>> WeightStorage::words(std::size_t count) {
  AlignedBuffer<std::uint64_t> buffer(count);
  if (buffer.size() != count) return Error{ErrorCode::kOutOfMemory, "out of memory"};
  words_.push_back(std::move(buffer));
  return words_.back().span();
}

Status check_shape(const KerasLayer& layer, const std::string& weight, const std::vector<int>& shape) {
  const KerasWeight* found = layer.find(weight);
  if (found == nullptr) return corrupt(fmt::format("layer {}: lacks its {}", layer.name, weight));
  if (found->shape != shape)
    return corrupt(fmt::format("layer {}: {} is {}, not {}; is it another architecture?", layer.name, weight,
                               fmt::join(found->shape, "x"), fmt::join(shape, "x")));
  return {};
}

Expected<FoldedNorm> fold_norm(const KerasLayer& layer, float epsilon, int channels) {
  for (const char* weight : {"moving_mean", "moving_variance"})
    BITTERN_RETURN_IF_ERROR(check_shape(layer, weight, {channels}));
  for (const char* weight : {"gamma", "beta"})
    if (layer.find(weight) != nullptr) BITTERN_RETURN_IF_ERROR(check_shape(layer, weight, {channels}));
  const std::vector<float> gamma = values_or(layer, "gamma", channels, 1),
                           beta = values_or(layer, "beta", channels, 0);
  const std::vector<float>& mean = layer.find("moving_mean")->values;
  const std::vector<float>& variance = layer.find("moving_variance")->values;
  FoldedNorm folded;
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double spread = static_cast<double>(variance[i]) + static_cast<double>(epsilon);
    if (variance[i] < 0 || spread <= 0)
      return corrupt(fmt::format("layer {}: the variance {} is negative", layer.name, variance[i]));
    const double scale = static_cast<double>(gamma[i]) / std::sqrt(spread);
    folded.scale.push_back(static_cast<float>(scale));
    folded.bias.push_back(
        static_cast<float>(static_cast<double>(beta[i]) - static_cast<double>(mean[i]) * scale));
  }
  return folded;
}

std::vector<float> magnitudes(const KerasWeight& kernel) {
  const auto outputs = static_cast<std::size_t>(kernel.shape.back());
  std::vector<double> sums(outputs);
  for (std::size_t i = 0; i < kernel.values.size(); ++i)
    sums[i % outputs] += std::abs(static_cast<double>(kernel.values[i]));
  const std::size_t terms = kernel.values.size() / outputs;
  std::vector<float> means;
  means.reserve(outputs);
  for (const double sum : sums) means.push_back(static_cast<float>(sum / static_cast<double>(terms)));
  return means;
}

Expected<model::LayerWeights> convolution_weights(const std::vector<const KerasLayer*>& layers,
                                                  const graph::Conv2d& op, int in_channels, bool depthwise,
                                                  WeightStorage& storage) {
  const auto parts = static_cast<int>(layers.size());
  const int outputs = op.out_channels / parts;
  const std::vector<int> shape =
      depthwise ? std::vector{op.kernel.time, op.kernel.frequency, in_channels, 1}
                : std::vector{op.kernel.time, op.kernel.frequency, in_channels / parts, outputs};
  const std::string name = depthwise ? "depthwise_kernel" : "kernel";
  std::vector<float> kernel;
  std::vector<float> bias;
  for (const KerasLayer* layer : layers) {
    BITTERN_RETURN_IF_ERROR(check_shape(*layer, name, shape));
    if (op.bias) {
      BITTERN_RETURN_IF_ERROR(check_shape(*layer, "bias", {outputs}));
      const std::vector<float>& values = layer->find("bias")->values;
      bias.insert(bias.end(), values.begin(), values.end());
    }
  }
  // The groups' outputs side by side: [time, frequency, in / groups, group, out / groups].
  const std::size_t rows =
      layers.front()->find(name)->values.size() / static_cast<std::size_t>(depthwise ? 1 : outputs);
  const std::size_t run = depthwise ? 1 : static_cast<std::size_t>(outputs);
  for (std::size_t row = 0; row < rows; ++row) {
    for (const KerasLayer* layer : layers) {
      const float* from = layer->find(name)->values.data() + row * run;
      kernel.insert(kernel.end(), from, from + run);
    }
  }
  model::LayerWeights weights;
  BITTERN_ASSIGN_OR_RETURN(weights.kernel, storage.keep(kernel));
  if (op.bias) {
    BITTERN_ASSIGN_OR_RETURN(weights.bias, storage.keep(bias));
  }
  return weights;
}

Expected<model::LayerWeights> binary_weights(const KerasLayer& layer, const graph::BinaryConv2d& op,
                                             int in_channels, WeightStorage& storage) {
  BITTERN_RETURN_IF_ERROR(
      check_shape(layer, "kernel", {op.kernel.time, op.kernel.frequency, in_channels, op.out_channels}));
  const KerasWeight& kernel = *layer.find("kernel");
  const int taps = op.kernel.time * op.kernel.frequency;
  BITTERN_ASSIGN_OR_RETURN(const auto bits,
                           storage.words(packed_kernel_words(op.out_channels, taps, in_channels)));
  pack_kernel(kernel.values.data(), op.out_channels, taps, in_channels, bits.data());
  model::LayerWeights weights;
  weights.bits = bits;
  if (op.has_scale()) {
    BITTERN_ASSIGN_OR_RETURN(weights.scale, storage.keep(magnitudes(kernel)));
  }
  return weights;
}

Expected<model::LayerWeights> exit_weights(const ExitParts& parts, const graph::Exit& op, int inputs,
                                           WeightStorage& storage) {
  model::LayerWeights weights;
  if (parts.norm_before != nullptr) {
    BITTERN_ASSIGN_OR_RETURN(const FoldedNorm norm, fold_norm(*parts.norm_before, op.norm_epsilon, inputs));
    BITTERN_ASSIGN_OR_RETURN(weights.norm_scale, storage.keep(norm.scale));
    BITTERN_ASSIGN_OR_RETURN(weights.norm_bias, storage.keep(norm.bias));
  }
  BITTERN_RETURN_IF_ERROR(check_shape(*parts.dense, "kernel", {inputs, op.classes}));
  const KerasWeight& kernel = *parts.dense->find("kernel");
  if (parts.dense->find("bias") != nullptr)
    BITTERN_RETURN_IF_ERROR(check_shape(*parts.dense, "bias", {op.classes}));
  const auto classes = static_cast<std::size_t>(op.classes);
  std::vector<float> bias = values_or(*parts.dense, "bias", op.classes, 0);
  FoldedNorm after{std::vector<float>(classes, 1), std::vector<float>(classes, 0)};
  if (parts.norm_after != nullptr) {
    BITTERN_ASSIGN_OR_RETURN(after, fold_norm(*parts.norm_after, parts.epsilon_after, op.classes));
  }
  for (std::size_t j = 0; j < classes; ++j) bias[j] = bias[j] * after.scale[j] + after.bias[j];
  BITTERN_ASSIGN_OR_RETURN(weights.bias, storage.keep(bias));
  if (op.dense == graph::ExitDense::kFloat) {
    std::vector<float> scaled = kernel.values;
    for (std::size_t i = 0; i < scaled.size(); ++i) scaled[i] *= after.scale[i % classes];
    BITTERN_ASSIGN_OR_RETURN(weights.kernel, storage.keep(scaled));
    return weights;
  }
  std::vector<float> scale = parts.magnitude_aware ? magnitudes(kernel) : std::vector<float>(classes, 1);
  for (std::size_t j = 0; j < classes; ++j) scale[j] *= after.scale[j];
  BITTERN_ASSIGN_OR_RETURN(weights.scale, storage.keep(scale));
  const auto words = static_cast<std::size_t>(words_for(inputs));
  BITTERN_ASSIGN_OR_RETURN(const auto bits, storage.words(classes * words));
  std::vector<float> row(static_cast<std::size_t>(inputs));
  for (std::size_t j = 0; j < classes; ++j) {
    for (std::size_t i = 0; i < row.size(); ++i) row[i] = kernel.values[i * classes + j];
    pack_row(row.data(), inputs, bits.data() + j * words);
  }
  weights.bits = bits;
  return weights;
}

}  // namespace bittern::convert
