// Everything that a model holds, as text: what golden files are compared with. Tensors appear as their size
// and a digest of their bytes.
#pragma once

#include <cinttypes>
#include <cstdio>
#include <string>

#include "core/checksum.h"
#include "model/model.h"

namespace bittern::model {

namespace detail {

template <class... Arguments>
std::string format(const char* pattern, Arguments... arguments) {
  char line[512];
  std::snprintf(line, sizeof(line), pattern, arguments...);
  return line;
}

inline std::string dump(const graph::Extent& extent) {
  return format("%dx%d", extent.time, extent.frequency);
}

template <class Enumerator>
int number(Enumerator value) {
  return static_cast<int>(value);
}

struct OpDumper {
  std::string operator()(const graph::Input&) const { return ""; }
  std::string operator()(const graph::Conv2d& op) const {
    std::string text =
        format(" kernel %s stride %s padding %d out %d groups %d bias %d initializer %d trainable %d",
               dump(op.kernel).c_str(), dump(op.stride).c_str(), number(op.padding), op.out_channels,
               op.groups, op.bias, number(op.initializer), op.trainable);
    if (op.int8) text += format(" int8 %a %d", static_cast<double>(op.int8->scale), op.int8->zero);
    return text;
  }
  std::string operator()(const graph::BinaryConv2d& op) const {
    return format(
        " kernel %s stride %s padding %d pad_value %d out %d quantizers %d %d clips %a %a initializer %d",
        dump(op.kernel).c_str(), dump(op.stride).c_str(), number(op.padding), number(op.pad_value),
        op.out_channels, number(op.input_quantizer), number(op.kernel_quantizer),
        static_cast<double>(op.input_clip), static_cast<double>(op.kernel_clip), number(op.initializer));
  }
  std::string operator()(const graph::BatchNorm& op) const {
    return format(" epsilon %a momentum %a scale %d center %d", static_cast<double>(op.epsilon),
                  static_cast<double>(op.momentum), op.scale, op.center);
  }
  std::string operator()(const graph::Relu&) const { return ""; }
  std::string operator()(const graph::Prelu&) const { return ""; }
  template <class Pool>
  requires(std::is_same_v<Pool, graph::MaxPool> || std::is_same_v<Pool, graph::AvgPool>) std::string
  operator()(const Pool& op) const {
    return format(" kernel %s stride %s padding %d", dump(op.kernel).c_str(), dump(op.stride).c_str(),
                  number(op.padding));
  }
  std::string operator()(const graph::Add&) const { return ""; }
  std::string operator()(const graph::Concat&) const { return ""; }
  std::string operator()(const graph::Exit& op) const {
    return format(" relu %d norm %d epsilon %a momentum %a pool %d dense %d classes %d initializer %d",
                  op.relu, number(op.norm), static_cast<double>(op.norm_epsilon),
                  static_cast<double>(op.norm_momentum), number(op.pool), number(op.dense), op.classes,
                  number(op.initializer));
  }
};

template <class T>
std::string dump_tensor(const char* role, std::span<const T> values) {
  if (values.empty()) return "";
  return format("  %s %zu %016" PRIx64 "\n", role, values.size(), checksum(std::as_bytes(values)));
}

inline std::string dump_floats(std::span<const float> values) {
  std::string text;
  for (const float value : values) text += format(" %a", static_cast<double>(value));
  return text;
}

}  // namespace detail

inline std::string dump(const Model& model) {
  using detail::dump_tensor;
  using detail::format;
  std::string text = "architecture " + model.network.architecture() + "\n";
  for (std::size_t i = 0; i < model.network.layers().size(); ++i) {
    const graph::Layer& layer = model.network.layers()[i];
    text += layer.name + " " + std::string(graph::kind(layer.op)) + std::visit(detail::OpDumper{}, layer.op);
    for (const int input : layer.inputs) text += format(" <%d", input);
    text += format(" -> %dx%dx%d\n", layer.output.time, layer.output.frequency, layer.output.channels);
    const LayerWeights& weights = model.weights[i];
    text += dump_tensor("kernel", weights.kernel) + dump_tensor("bits", weights.bits) +
            dump_tensor("scale", weights.scale) + dump_tensor("bias", weights.bias) +
            dump_tensor("norm_scale", weights.norm_scale) + dump_tensor("norm_bias", weights.norm_bias) +
            dump_tensor("int8_kernel", weights.int8_kernel);
  }
  const features::LogMelSpec& spec = model.front_end;
  text += format("front end %d %d %d %d %d %d %a %a %a", spec.sample_rate, spec.clip_samples,
                 spec.frame_length, spec.hop, spec.fft_size, spec.mel_bins, static_cast<double>(spec.low_hz),
                 static_cast<double>(spec.high_hz), static_cast<double>(spec.offset)) +
          " scale" + detail::dump_floats(spec.normalize_scale) + " bias" +
          detail::dump_floats(spec.normalize_bias) + "\n";
  for (const std::string& label : model.labels) text += "label " + label + "\n";
  text += "temperatures" + detail::dump_floats(model.temperatures) + "\n";
  for (const OperatingPoint& point : model.operating_points) {
    text += "point " + point.name + " | " + point.rule + " |" + detail::dump_floats(point.thresholds) +
            " | " + point.promise + "\n";
  }
  const Provenance& from = model.provenance;
  text += "from " + from.architecture + " | " + from.placement + " | " + from.data_name + " | " +
          from.data_digest + " | " + from.recipe + " | " + from.metrics + " | " + from.tool_version + " | " +
          from.license + " | " + from.date + " | " + std::to_string(from.seed) + "\n";
  if (model.self_test) {
    text += format("self-test %016" PRIx64, model.self_test->features);
    for (const std::uint64_t stage : model.self_test->stages) text += format(" %016" PRIx64, stage);
    text += format(" %016" PRIx64 "\n", model.self_test->logits);
  }
  return text;
}

}  // namespace bittern::model
