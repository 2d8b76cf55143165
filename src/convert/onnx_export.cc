#include "convert/onnx_export.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <span>
#include <variant>
#include <vector>

#include "convert/onnx_graph.h"
#include "core/bits.h"
#include "core/int8_kernel.h"
#include "graph/network.h"
#include "graph/prune.h"

namespace bittern::convert {
namespace {

using Value = OnnxGraph::Value;
using Dims = OnnxGraph::Dims;

std::size_t index(std::int64_t i) { return static_cast<std::size_t>(i); }

// +1 or -1: bit `i` of a row of words.
std::int8_t sign_at(std::span<const std::uint64_t> words, std::size_t i) {
  const bool negative = (words[i / kWordBits] >> (i % kWordBits)) % 2 != 0;
  return negative ? std::int8_t{-1} : std::int8_t{1};
}

// What lies outside the input on each side; ONNX's order is [before in time, in frequency, after in time, in
// frequency].
struct Pads {
  std::int64_t time_before = 0, frequency_before = 0, time_after = 0, frequency_after = 0;
  bool any() const { return time_before + frequency_before + time_after + frequency_after > 0; }
  Dims attribute() const { return {time_before, frequency_before, time_after, frequency_after}; }
};

template <class Op>
Pads pads_of(const Op& op, const graph::Shape& input) {
  const auto after = [](int in, int kernel, int stride, const graph::Window& window) {
    return std::int64_t{std::max((window.output - 1) * stride + kernel - in - window.before, 0)};
  };
  const auto time = graph::window(input.time, op.kernel.time, op.stride.time, op.padding);
  const auto frequency = graph::window(input.frequency, op.kernel.frequency, op.stride.frequency, op.padding);
  return {time.before, frequency.before, after(input.time, op.kernel.time, op.stride.time, time),
          after(input.frequency, op.kernel.frequency, op.stride.frequency, frequency)};
}

Dims dims(const graph::Extent& extent) { return {extent.time, extent.frequency}; }

// Values are [N, channels, time, frequency].
class Export {
 public:
  Export(const model::Model& model, const OnnxOptions& options, onnx::GraphProto& proto)
      : model_(model), network_(model.network), options_(options), graph_(proto) {}

  void run() {
    const auto layers = static_cast<int>(network_.layers().size());
    values_.resize(index(layers));
    signs_.resize(index(layers));
    std::vector<int> roots;
    for (int exit = 1; exit <= network_.exit_count(); ++exit) {
      if (options_.exit != 0 && options_.exit != exit) continue;
      const int layer = network_.exits()[index(exit) - 1];
      roots.push_back(layer);
      values_[index(layer)] = graph_.claim(onnx_output(exit));
      graph_.output(values_[index(layer)], {network_.classes()},
                    fmt::format("logits of exit {}, before softmax; it reads {}", exit,
                                network_.layer(network_.layer(layer).inputs.front()).name));
    }
    const graph::Shape& shape = network_.input_shape();
    const Value features = graph_.claim(kOnnxInput);
    graph_.input(features, {shape.time, shape.frequency}, "log-mel features: clips, frames, bins");
    const std::vector<bool> needed = graph::needed_by(network_.layers(), roots);
    // The features have one channel.
    values_.front() = graph_.node(name(0), "Unsqueeze", {features, graph_.integers(name(0) + "/axes", {1})});
    for (int i = 1; i < layers; ++i) {
      if (needed[index(i)]) std::visit([&](const auto& op) { emit(i, op); }, network_.layer(i).op);
    }
  }

 private:
  const std::string& name(int layer) const { return network_.layer(layer).name; }
  const model::LayerWeights& weights(int layer) const { return model_.weights[index(layer)]; }
  int input(int layer, std::size_t i = 0) const { return network_.layer(layer).inputs[i]; }
  const Value& read(int layer, std::size_t i = 0) const { return values_[index(input(layer, i))]; }
  void make(int layer, const char* op, const std::vector<Value>& inputs,
            const std::vector<OnnxGraph::Attribute>& attributes = {}) {
    values_[index(layer)] = graph_.node(name(layer), op, inputs, attributes);
  }

  // x * scale + bias, as Mul and Add: the same bits as ours, which BatchNormalization does not promise.
  Value affine(const Value& x, const std::string& wanted, const Dims& shape, std::span<const float> scale,
               std::span<const float> bias) {
    const Value scaled =
        graph_.node(wanted + "/scaled", "Mul", {x, graph_.floats(wanted + "/scale", shape, scale)});
    return graph_.node(wanted, "Add", {scaled, graph_.floats(wanted + "/bias", shape, bias)});
  }

  // -1 where the layer's output is below 0, else +1: ONNX's Sign has a 0 of its own.
  const Value& signs_of(int layer) {
    Value& signs = signs_[index(layer)];
    if (signs.empty()) {
      const Value negative =
          graph_.node(name(layer) + "/negative", "Less", {values_[index(layer)], graph_.scalar(0.0F)});
      signs =
          graph_.node(name(layer) + "/sign", "Where", {negative, graph_.scalar(-1.0F), graph_.scalar(1.0F)});
    }
    return signs;
  }

  void emit(int, const graph::Input&) {}

  void emit(int i, const graph::Conv2d& op) {
    const std::int64_t in = network_.input_of(i).channels / op.groups, out = op.out_channels;
    const std::int64_t taps = std::int64_t{op.kernel.time} * op.kernel.frequency;
    if (op.int8) return emit_int8(i, op);
    // HWIO to OIHW.
    std::vector<float> kernel(index(out * in * taps));
    for (std::int64_t o = 0; o < out; ++o) {
      for (std::int64_t c = 0; c < in; ++c) {
        for (std::int64_t tap = 0; tap < taps; ++tap)
          kernel[index((o * in + c) * taps + tap)] = weights(i).kernel[index((tap * in + c) * out + o)];
      }
    }
    std::vector<Value> inputs{
        read(i), graph_.floats(name(i) + "/kernel", {out, in, op.kernel.time, op.kernel.frequency}, kernel)};
    if (op.bias) inputs.push_back(graph_.floats(name(i) + "/bias", {out}, weights(i).bias));
    make(i, "Conv", inputs,
         {{"kernel_shape", dims(op.kernel)},
          {"strides", dims(op.stride)},
          {"pads", pads_of(op, network_.input_of(i)).attribute()},
          {"group", std::int64_t{op.groups}}});
  }

  // Whole numbers in float32: exact in any order.
  void emit_int8(int i, const graph::Conv2d& op) {
    const int in = network_.input_of(i).channels, out = op.out_channels;
    const int values = op.kernel.frequency * in;
    std::vector<std::int8_t> kernel;  // OIHW
    for (int o = 0; o < out; ++o) {
      for (int c = 0; c < in; ++c) {
        for (int row = 0; row < op.kernel.time; ++row) {
          for (int column = 0; column < op.kernel.frequency; ++column)
            kernel.push_back(
                weights(i).int8_kernel[int8_kernel_index(o, row, column * in + c, op.kernel.time, values)]);
        }
      }
    }
    const Value scaled = graph_.node(name(i) + "/scaled", "Mul", {read(i), graph_.scalar(op.int8->scale)});
    const Value rounded = graph_.node(name(i) + "/rounded", "Round", {scaled});
    const auto zero = static_cast<float>(op.int8->zero);
    const Value levels = graph_.node(name(i) + "/levels", "Clip",
                                     {rounded, graph_.scalar(-zero), graph_.scalar(255.0F - zero)});
    const Value sums = graph_.node(
        name(i) + "/sums", "Conv",
        {levels,
         graph_.small_integers(name(i) + "/kernel", {out, in, op.kernel.time, op.kernel.frequency}, kernel)},
        {{"kernel_shape", dims(op.kernel)},
         {"strides", dims(op.stride)},
         {"pads", pads_of(op, network_.input_of(i)).attribute()}});
    make(i, "Mul", {sums, graph_.floats(name(i) + "/scale", {out, 1, 1}, weights(i).scale)});
  }

  void emit(int i, const graph::BinaryConv2d& op) {
    const int in = network_.input_of(i).channels, out = op.out_channels;
    const int taps = op.kernel.time * op.kernel.frequency, words = words_for(in);
    std::vector<std::int8_t> kernel;
    kernel.reserve(index(std::int64_t{out} * in * taps));
    for (int o = 0; o < out; ++o) {
      for (int c = 0; c < in; ++c) {
        for (int tap = 0; tap < taps; ++tap) {
          const std::size_t word = packed_kernel_index(o, tap, c / kWordBits, taps, words);
          kernel.push_back(sign_at(weights(i).bits.subspan(word, 1), index(c % kWordBits)));
        }
      }
    }
    Value signs = signs_of(input(i));
    Pads pads = pads_of(op, network_.input_of(i));
    if (op.pad_value == graph::BinaryPadding::kOne && pads.any()) {
      const Value amounts =
          graph_.integers(name(i) + "/pads", {0, 0, pads.time_before, pads.frequency_before,  //
                                              0, 0, pads.time_after, pads.frequency_after});
      signs = graph_.node(name(i) + "/padded", "Pad", {signs, amounts, graph_.scalar(1.0F)});
      pads = {};
    }
    const Value weight =
        graph_.small_integers(name(i) + "/kernel", {out, in, op.kernel.time, op.kernel.frequency}, kernel);
    const std::vector<OnnxGraph::Attribute> attributes{
        {"kernel_shape", dims(op.kernel)}, {"strides", dims(op.stride)}, {"pads", pads.attribute()}};
    if (!op.has_scale()) return make(i, "Conv", {signs, weight}, attributes);
    const Value sums = graph_.node(name(i) + "/sums", "Conv", {signs, weight}, attributes);
    make(i, "Mul", {sums, graph_.floats(name(i) + "/scale", {out, 1, 1}, weights(i).scale)});
  }

  void emit(int i, const graph::BatchNorm&) {
    values_[index(i)] =
        affine(read(i), name(i), {network_.shape_of(i).channels, 1, 1}, weights(i).scale, weights(i).bias);
  }

  void emit(int i, const graph::Prelu&) {
    const Value slope =
        graph_.floats(name(i) + "/slope", {network_.shape_of(i).channels, 1, 1}, weights(i).scale);
    make(i, "PRelu", {read(i), slope});
  }
  void emit(int i, const graph::Relu&) { make(i, "Relu", {read(i)}); }

  template <class Pool>
  std::vector<OnnxGraph::Attribute> window_of(int i, const Pool& op) const {
    return {{"kernel_shape", dims(op.kernel)},
            {"strides", dims(op.stride)},
            {"pads", pads_of(op, network_.input_of(i)).attribute()}};
  }

  void emit(int i, const graph::MaxPool& op) { make(i, "MaxPool", {read(i)}, window_of(i, op)); }

  void emit(int i, const graph::AvgPool& op) {
    std::vector<OnnxGraph::Attribute> attributes = window_of(i, op);
    attributes.push_back({"count_include_pad", std::int64_t{0}});
    make(i, "AveragePool", {read(i)}, attributes);
  }

  void emit(int i, const graph::Add&) {
    Value second = read(i, 1);
    const int before = network_.shape_of(input(i)).channels - network_.shape_of(input(i, 1)).channels;
    if (before > 0) {
      const Value amounts = graph_.integers(name(i) + "/pads", {0, before, 0, 0, 0, 0, 0, 0});
      second = graph_.node(name(i) + "/padded", "Pad", {second, amounts});
    }
    make(i, "Add", {read(i), second});
  }

  void emit(int i, const graph::Concat&) {
    std::vector<Value> inputs;
    for (std::size_t k = 0; k < network_.layer(i).inputs.size(); ++k) inputs.push_back(read(i, k));
    make(i, "Concat", inputs, {{"axis", std::int64_t{1}}});
  }

  void emit(int i, const graph::Exit& op) {
    const graph::Shape& shape = network_.input_of(i);
    const model::LayerWeights& w = weights(i);
    const bool by_time = op.pool == graph::ExitPool::kTime;
    const std::int64_t inputs = graph::dense_inputs(op, shape);
    Value x = read(i);
    if (op.relu) x = graph_.node(name(i) + "/relu", "Relu", {x});
    if (op.norm == graph::ExitNorm::kBeforePool)
      x = affine(x, name(i) + "/norm", {shape.channels, 1, 1}, w.norm_scale, w.norm_bias);
    x = graph_.node(name(i) + "/mean", "ReduceMean", {x},
                    {{"axes", by_time ? Dims{2} : Dims{2, 3}}, {"keepdims", std::int64_t{0}}});
    if (by_time) x = graph_.node(name(i) + "/flat", "Flatten", {x}, {{"axis", std::int64_t{1}}});
    // Means by time lie there as [channel][frequency], ours as [frequency][channel]: ours at place j.
    const auto ours = [&](std::int64_t j) {
      return index(by_time ? j % shape.frequency * shape.channels + j / shape.frequency : j);
    };
    if (op.norm == graph::ExitNorm::kAfterPool) {
      std::vector<float> scale, bias;
      for (std::int64_t j = 0; j < inputs; ++j) {
        scale.push_back(w.norm_scale[ours(j)]);
        bias.push_back(w.norm_bias[ours(j)]);
      }
      x = affine(x, name(i) + "/norm", {inputs}, scale, bias);
    }
    const std::string kernel_name = name(i) + "/kernel";
    Value kernel;
    if (op.dense == graph::ExitDense::kBinary) {
      const auto words = index(words_for(static_cast<int>(inputs)));
      std::vector<std::int8_t> signs;
      for (std::int64_t j = 0; j < inputs; ++j) {
        for (std::size_t label = 0; label < index(op.classes); ++label)
          signs.push_back(sign_at(w.bits.subspan(label * words, words), ours(j)));
      }
      kernel = graph_.small_integers(kernel_name, {inputs, op.classes}, signs);
    } else if (op.dense == graph::ExitDense::kInt8) {
      std::vector<std::int8_t> values;
      for (std::int64_t j = 0; j < inputs; ++j) {
        for (std::size_t label = 0; label < index(op.classes); ++label)
          values.push_back(w.int8_kernel[label * index(inputs) + ours(j)]);
      }
      kernel = graph_.small_integers(kernel_name, {inputs, op.classes}, values);
    } else {
      std::vector<float> rows;
      for (std::int64_t j = 0; j < inputs; ++j) {
        const auto row = w.kernel.subspan(ours(j) * index(op.classes), index(op.classes));
        rows.insert(rows.end(), row.begin(), row.end());
      }
      kernel = graph_.floats(kernel_name, {inputs, op.classes}, rows);
    }
    x = graph_.node(name(i) + "/sums", "MatMul", {x, kernel});
    if (op.dense != graph::ExitDense::kFloat)
      x = graph_.node(name(i) + "/scaled", "Mul",
                      {x, graph_.floats(name(i) + "/scale", {op.classes}, w.scale)});
    graph_.node_into(values_[index(i)], "Add", {x, graph_.floats(name(i) + "/bias", {op.classes}, w.bias)});
  }

  const model::Model& model_;
  const graph::Network& network_;
  const OnnxOptions& options_;
  OnnxGraph graph_;
  std::vector<Value> values_;  // one per layer
  std::vector<Value> signs_;   // of the layers that 1-bit convolutions read
};

}  // namespace

std::string onnx_output(int exit) { return fmt::format("logits_{}", exit); }

Expected<std::string> export_onnx(const model::Model& model, const OnnxOptions& options) {
  if (options.exit < 0 || options.exit > model.network.exit_count())
    return invalid_argument(
        fmt::format("there is no exit {}: the model has {}", options.exit, model.network.exit_count()));
  if (model.network.input_shape().channels != 1)
    return invalid_argument("the network's input is no features: it has more than one channel");
  onnx::ModelProto proto;
  proto.set_ir_version(kOnnxIrVersion);
  proto.set_producer_name("bittern");
  proto.set_producer_version(BITTERN_VERSION);
  proto.add_opset_import()->set_version(kOnnxOpset);
  for (const auto& [key, text] : options.metadata) {
    onnx::StringStringEntryProto& entry = *proto.add_metadata_props();
    entry.set_key(key);
    entry.set_value(text);
  }
  proto.mutable_graph()->set_name(model.network.architecture());
  Export(model, options, *proto.mutable_graph()).run();
  std::string bytes;
  if (proto.ByteSizeLong() > std::numeric_limits<std::int32_t>::max() || !proto.SerializeToString(&bytes))
    return unsupported("as an ONNX graph it would take more than the 2 GiB that such a file may have");
  return bytes;
}

}  // namespace bittern::convert
