// The trainer's network and the exported model, side by side on the same clips.
//
// Both compute the same function: 1-bit sums are integers and equal, batch norms round the same two times,
// but float sums (the first convolution, pools, exits) are taken in other orders. Rounding alone may
// therefore part them in two places only: a sign of a value at zero, and a choice between logits that tie.
// explain() holds every clip whose answers part, and every other clip whose logits are further apart than
// rounding, against exactly that:
//
//   Walk the layers in order. Up to and including the input of the first binary convolution whose signs
//   differ anywhere, both executions must agree within rounding, and where signs differ both values must be
//   within rounding of zero. Where no sign differs on the way to an exit, its logits must agree within
//   rounding.
//
// Rounding is kRounding of a tensor's largest magnitude: sums of up to some thousand floats of 24 bits. Of
// logits it is kLogitRounding: terms of both signs cancel there, and what is left is small beside them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "datasets/dataset.h"
#include "model/model.h"
#include "runtime/reference.h"
#include "runtime/session.h"
#include "training/batches.h"
#include "training/binary_convolution.h"
#include "training/convolution.h"
#include "training/modules.h"
#include "training/pooling.h"
#include "training/product.h"
#include "training/quantizers.h"
#include "training/torch.h"

namespace bittern::training {

inline constexpr float kRounding = 0x1p-16F;
inline constexpr float kLogitRounding = 0x1p-14F;

// One layer of TrainableNetwork::evaluate, from the room's public functions.
struct EvaluatedLayer {
  const TrainableNetwork& network;
  int layer;
  const std::vector<at::Tensor>& inputs;

  const LayerTensors& tensors() const { return network.tensors(layer); }
  at::Tensor norm(const at::Tensor& x, float epsilon) const {
    return folded_batch_norm(x, tensors().norm, {.epsilon = epsilon});
  }

  at::Tensor operator()(const graph::Input&) const { return inputs[0]; }
  at::Tensor operator()(const graph::Conv2d& op) const {
    if (op.int8) {
      const TrainableNetwork::Int8Kernel kernel = network.int8_kernel(layer);
      return convolution(int8_levels(inputs[0], *op.int8), kernel.values.to(at::kFloat), {}, op) *
             kernel.scale;
    }
    return convolution(inputs[0], tensors().kernel, tensors().bias, op);
  }
  at::Tensor operator()(const graph::BinaryConv2d& op) const {
    const TrainableNetwork::BinaryKernel kernel = network.binary_kernel(layer);
    const at::Tensor y = binary_convolution(inputs[0], kernel.signs, op);
    return op.has_scale() ? y * kernel.scale : y;
  }
  at::Tensor operator()(const graph::BatchNorm& op) const { return norm(inputs[0], op.epsilon); }
  at::Tensor operator()(const graph::Relu&) const { return at::relu(inputs[0]); }
  at::Tensor operator()(const graph::Prelu&) const {
    return at::where(inputs[0] > 0, inputs[0], inputs[0] * tensors().scale);
  }
  at::Tensor operator()(const graph::MaxPool& op) const { return max_pool(inputs[0], op); }
  at::Tensor operator()(const graph::AvgPool& op) const { return average_pool(inputs[0], op); }
  at::Tensor operator()(const graph::Add&) const {
    const std::int64_t missing = inputs[0].size(3) - inputs[1].size(3);
    return inputs[0] + at::constant_pad_nd(inputs[1], {missing, 0});
  }
  at::Tensor operator()(const graph::Concat&) const { return at::cat(inputs, 3); }
  at::Tensor operator()(const graph::Exit& op) const {
    at::Tensor x = op.relu ? at::relu(inputs[0]) : inputs[0];
    if (op.norm == graph::ExitNorm::kBeforePool) x = norm(x, op.norm_epsilon);
    x = op.pool == graph::ExitPool::kTime ? x.mean(0).permute({1, 0, 2}).flatten(1)
                                          : x.mean(at::IntArrayRef{0, 1});
    if (op.norm == graph::ExitNorm::kAfterPool) x = norm(x, op.norm_epsilon);
    if (op.dense == graph::ExitDense::kFloat) return product(x, tensors().kernel) + tensors().bias;
    if (op.dense == graph::ExitDense::kInt8) {
      const TrainableNetwork::Int8Kernel kernel = network.int8_kernel(layer);
      return product(x, kernel.values.to(at::kFloat)) * kernel.scale + tensors().bias;
    }
    return product(x, network.binary_kernel(layer).signs) * tensors().scale + tensors().bias;
  }
};

// Every layer's output for features [clips, frames, bins]: [time, frequency, clips, channels], an exit's
// [clips, classes].
inline std::vector<at::Tensor> evaluated_layers(const TrainableNetwork& network, const at::Tensor& features) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> outputs{features.permute({1, 2, 0}).contiguous().unsqueeze(3)};
  for (std::size_t i = 1; i < network.network().layers().size(); ++i) {
    const graph::Layer& layer = network.network().layers()[i];
    std::vector<at::Tensor> inputs;
    for (const int input : layer.inputs) inputs.push_back(outputs[static_cast<std::size_t>(input)]);
    outputs.push_back(std::visit(EvaluatedLayer{network, static_cast<int>(i), inputs}, layer.op));
  }
  return outputs;
}

inline std::vector<float> values_of(const at::Tensor& x) {
  const at::Tensor flat = x.contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

inline float largest(std::span<const float> values) {
  float most = 0;
  for (const float value : values) most = std::max(most, std::abs(value));
  return most;
}

inline bool within_rounding(std::span<const float> a, std::span<const float> b, float rounding) {
  const float allowed = rounding * largest(a);
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!(std::abs(a[i] - b[i]) <= allowed)) return false;
  return true;
}

struct Agreement {
  int pairs = 0;  // of (clip, exit)
  int same_label = 0;
  int within_rounding = 0;  // pairs whose logits agree within rounding
  int signs = 0;            // clips explained by signs at zero
  float apart =
      0;  // the largest difference of logits, of those within rounding, as a share of the largest logit
  std::vector<int> answers;  // how often each label was given by the model
  std::vector<std::string> unexplained;
};

class Comparison {
 public:
  Comparison(const TrainableNetwork& network, std::shared_ptr<const model::Model> model)
      : network_(network), model_(std::move(model)) {}

  Agreement compare(const datasets::LoadedClips& clips) {
    Agreement result;
    const graph::Network& graph = network_.network();
    const auto exits = static_cast<std::size_t>(graph.exit_count());
    const auto classes = static_cast<std::size_t>(graph.classes());
    result.answers.assign(classes, 0);
    const ClipStore store{datasets::LoadedClips(clips)};
    const std::vector<float> features = features_of(store, model_->front_end).value();
    runtime::Session session = runtime::Session::create(model_).value();
    const std::int64_t frames = graph.input_shape().time;
    const std::int64_t bins = graph.input_shape().frequency;
    std::vector<float> theirs(exits * classes);
    for (int first = 0; first < store.size(); first += kBatch) {
      const int count = std::min(kBatch, store.size() - first);
      const at::Tensor batch =
          at::from_blob(const_cast<float*>(features.data()) + first * frames * bins, {count, frames, bins});
      const std::vector<at::Tensor> logits = network_.evaluate(batch);
      std::vector<at::Tensor> layers;
      for (int i = 0; i < count; ++i) {
        const int clip = first + i;
        const std::string name = "clip " + std::to_string(clip) + ": ";
        const Status status = session.logits(clips.samples[static_cast<std::size_t>(clip)], theirs);
        if (!status.ok()) result.unexplained.push_back(name + status.error().message);
        bool apart = false;
        for (std::size_t exit = 0; exit < exits; ++exit) {
          const std::vector<float> ours = values_of(logits[exit][i]);
          const std::span<const float> exported = std::span(theirs).subspan(exit * classes, classes);
          const auto answer = std::max_element(exported.begin(), exported.end()) - exported.begin();
          ++result.pairs;
          ++result.answers[static_cast<std::size_t>(answer)];
          const bool same = std::max_element(ours.begin(), ours.end()) - ours.begin() == answer;
          result.same_label += same ? 1 : 0;
          const bool close = within_rounding(ours, exported, kLogitRounding);
          result.within_rounding += close ? 1 : 0;
          apart = apart || !close;
          // Logits within rounding whose answers differ tie within rounding: nothing else to show.
          for (std::size_t c = 0; c < classes && close; ++c)
            result.apart = std::max(result.apart, std::abs(ours[c] - exported[c]) / largest(ours));
        }
        if (!apart) continue;
        if (layers.empty()) {
          layers = evaluated_layers(network_, batch);
          for (std::size_t exit = 0; exit < exits; ++exit)
            if (!at::equal(layers[static_cast<std::size_t>(graph.exits()[exit])], logits[exit]))
              result.unexplained.push_back("the layers do not give the trainer's own logits");
        }
        const std::string why = explain(layers, i, batch[i], theirs);
        if (why.empty()) {
          ++result.signs;
        } else {
          result.unexplained.push_back(name + why);
        }
      }
    }
    return result;
  }

 private:
  static constexpr int kBatch = 16;

  // Empty, or what the rule at the head of this file does not explain. A layer passes a clip on `parted` once
  // a sign at zero came out differently on the way to it.
  std::string explain(const std::vector<at::Tensor>& layers, int clip, const at::Tensor& features,
                      const std::vector<float>& logits) const {
    const graph::Network& graph = network_.network();
    runtime::Reference reference(*model_, model_->network);
    reference.run(values_of(features));
    if (reference.logits() != logits) return "the reference does not give the runtime's own logits";
    std::vector<bool> parted(graph.layers().size(), false);
    for (std::size_t i = 1; i < graph.layers().size(); ++i) {
      const graph::Layer& layer = graph.layers()[i];
      for (const int input : layer.inputs) parted[i] = parted[i] || parted[static_cast<std::size_t>(input)];
      if (parted[i]) continue;
      if (std::holds_alternative<graph::BinaryConv2d>(layer.op)) {
        const auto input = static_cast<std::size_t>(layer.inputs.front());
        const std::vector<float> ours = values_of(layers[input].select(2, clip));
        const std::vector<float>& exported = reference.tensors()[input].data;
        const float zero = kRounding * largest(ours);
        for (std::size_t e = 0; e < ours.size(); ++e) {
          if ((ours[e] < 0) == (exported[e] < 0)) continue;
          if (std::abs(ours[e]) > zero || std::abs(exported[e]) > zero)
            return layer.name + ": a sign differs far from zero";
          parted[i] = true;
        }
        if (parted[i]) continue;
      }
      const bool exit = std::holds_alternative<graph::Exit>(layer.op);
      const std::vector<float> ours = values_of(exit ? layers[i][clip] : layers[i].select(2, clip));
      if (!within_rounding(ours, reference.tensors()[i].data, exit ? kLogitRounding : kRounding))
        return layer.name + ": differs by more than rounding";
    }
    return {};
  }

  const TrainableNetwork& network_;
  std::shared_ptr<const model::Model> model_;
};

}  // namespace bittern::training
