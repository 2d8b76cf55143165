#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/int8_kernel.h"
#include "model/finite.h"
#include "model/limits.h"
#include "model/model.h"
#include "model/text.h"

namespace bittern::model {
namespace {

template <class... Functions>
struct Overloaded : Functions... {
  using Functions::operator()...;
};
template <class... Functions>
Overloaded(Functions...) -> Overloaded<Functions...>;

std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

// A quoted name that is safe to print, whatever it holds.
std::string quoted(std::string_view name) {
  return is_printable(name) && name.size() <= kMaxNameBytes ? "\"" + std::string(name) + "\""
                                                            : "(unprintable)";
}

Status check_finite(std::span<const float> values, const std::string& what) {
  if (all_finite(values)) return {};
  const auto bad = std::find_if(values.begin(), values.end(), [](float x) { return !std::isfinite(x); });
  return corrupt(what + " holds a value that is not finite at index " + std::to_string(bad - values.begin()));
}

Status check_name(std::string_view name, const std::string& what) {
  if (name.empty()) return corrupt(what + " is empty");
  if (name.size() > kMaxNameBytes)
    return corrupt(what + " has " + std::to_string(name.size()) + " bytes, more than " +
                   std::to_string(kMaxNameBytes));
  if (!is_printable(name)) return corrupt(what + " is not printable UTF-8");
  return {};
}

Status check_text(std::string_view text, const std::string& what) {
  if (text.size() > kMaxTextBytes)
    return corrupt(what + " has " + std::to_string(text.size()) + " bytes, more than " +
                   std::to_string(kMaxTextBytes));
  if (!is_utf8(text)) return corrupt(what + " is not UTF-8");
  return {};
}

// Bits past the last input of each row, and whole rows past the last output, must be 0: kernels count them.
Status check_padding_bits(std::span<const std::uint64_t> bits, int outputs, int taps, int inputs,
                          const std::string& what) {
  const int words = words_for(inputs);
  const std::uint64_t unused =
      inputs % kWordBits == 0 ? 0 : ~((std::uint64_t{1} << (inputs % kWordBits)) - 1);
  const int rows = blocks_for(outputs) * kBlockLanes;
  std::uint64_t seen = 0;
  for (int output = unused == 0 ? outputs : 0; output < rows; ++output) {
    for (int tap = 0; tap < taps; ++tap) {
      for (int word = output < outputs ? words - 1 : 0; word < words; ++word)
        seen |= bits[packed_kernel_index(output, tap, word, taps, words)] &
                (output < outputs ? unused : ~std::uint64_t{0});
    }
  }
  if (seen != 0) return corrupt(what + ": a padding bit is set");
  return {};
}

Status check_padding_bits(std::span<const std::uint64_t> rows, int inputs, const std::string& what) {
  if (inputs % kWordBits == 0) return {};
  const std::uint64_t unused = ~((std::uint64_t{1} << (inputs % kWordBits)) - 1);
  const auto words = size(words_for(inputs));
  for (std::size_t last = words - 1; last < rows.size(); last += words) {
    if ((rows[last] & unused) != 0) return corrupt(what + ": a padding bit is set");
  }
  return {};
}

// Values past the last of each row of an int8 kernel must be 0: kernels multiply them by what lies there.
Status check_padding_values(std::span<const std::int8_t> kernel, const graph::Conv2d& conv, int inputs,
                            const std::string& what) {
  const int values = conv.kernel.frequency * inputs;
  for (int output = 0; output < conv.out_channels; ++output) {
    for (int row = 0; row < conv.kernel.time; ++row) {
      for (int value = values; value < quads_for(values) * kQuad; ++value) {
        if (kernel[int8_kernel_index(output, row, value, conv.kernel.time, values)] != 0)
          return corrupt(what + ": a padding value is not 0");
      }
    }
  }
  return {};
}

Status check_layer(const Model& model, int index) {
  const graph::Layer& layer = model.network.layer(index);
  const LayerWeights& weights = model.weights[size(index)];
  const LayerSizes expected = sizes_of(model.network, index);
  const std::string where = "layer " + quoted(layer.name) + ": ";
  const auto check_size = [&](std::size_t actual, std::uint64_t wanted, const char* tensor) -> Status {
    if (actual == wanted) return {};
    return corrupt(where + tensor + " has " + std::to_string(actual) + " elements, its shape needs " +
                   std::to_string(wanted));
  };
  BITTERN_RETURN_IF_ERROR(check_size(weights.bits.size(), expected.bits, "bits"));
  if (!weights.bits.empty() && !is_aligned(weights.bits.data()))
    return corrupt(where + "bits is not 64-byte aligned");

  BITTERN_RETURN_IF_ERROR(check_size(weights.int8_kernel.size(), expected.int8_kernel, "int8_kernel"));
  if (!weights.int8_kernel.empty() && !is_aligned(weights.int8_kernel.data()))
    return corrupt(where + "int8_kernel is not 64-byte aligned");

  struct FloatTensor {
    const char* name;
    std::span<const float> values;
    std::uint64_t wanted;
  };
  for (const FloatTensor& tensor :
       {FloatTensor{"kernel", weights.kernel, expected.kernel},
        FloatTensor{"scale", weights.scale, expected.scale}, FloatTensor{"bias", weights.bias, expected.bias},
        FloatTensor{"norm_scale", weights.norm_scale, expected.norm_scale},
        FloatTensor{"norm_bias", weights.norm_bias, expected.norm_bias}}) {
    BITTERN_RETURN_IF_ERROR(check_size(tensor.values.size(), tensor.wanted, tensor.name));
    if (tensor.wanted != 0 && !is_aligned(tensor.values.data()))
      return corrupt(where + tensor.name + " is not 64-byte aligned");
    BITTERN_RETURN_IF_ERROR(check_finite(tensor.values, where + tensor.name));
  }

  if (const auto* conv = std::get_if<graph::Conv2d>(&layer.op); conv != nullptr && conv->int8)
    return check_padding_values(weights.int8_kernel, *conv, model.network.input_of(index).channels,
                                where + "int8_kernel");
  if (const auto* conv = std::get_if<graph::BinaryConv2d>(&layer.op)) {
    return check_padding_bits(weights.bits, conv->out_channels, conv->kernel.time * conv->kernel.frequency,
                              model.network.input_of(index).channels, where + "bits");
  }
  if (const auto* exit = std::get_if<graph::Exit>(&layer.op)) {
    return check_padding_bits(weights.bits, graph::dense_inputs(*exit, model.network.input_of(index)),
                              where + "bits");
  }
  return {};
}

Status check_front_end(const Model& model) {
  const features::LogMelSpec& spec = model.front_end;
  if (const Status status = spec.validate(); !status.ok()) return corrupt(status.error().message);
  const graph::Shape& input = model.network.input_shape();
  if (input == graph::Shape{spec.clip_frames(), spec.mel_bins, 1}) return {};
  return corrupt("the front end gives " + std::to_string(spec.clip_frames()) + "x" +
                 std::to_string(spec.mel_bins) + "x1 features, the network takes " +
                 std::to_string(input.time) + "x" + std::to_string(input.frequency) + "x" +
                 std::to_string(input.channels));
}

Status check_labels(const Model& model) {
  if (model.labels.size() != size(model.network.classes()))
    return corrupt(std::to_string(model.labels.size()) + " labels for " +
                   std::to_string(model.network.classes()) + " classes");
  std::set<std::string_view> seen;
  for (const std::string& label : model.labels) {
    BITTERN_RETURN_IF_ERROR(check_name(label, "label " + quoted(label)));
    if (!seen.insert(label).second) return corrupt("label " + quoted(label) + " stands twice");
  }
  return {};
}

Status check_exits(const Model& model) {
  const auto exits = size(model.network.exit_count());
  if (model.temperatures.size() != exits)
    return corrupt(std::to_string(model.temperatures.size()) + " temperatures for " + std::to_string(exits) +
                   " exits");
  for (const float temperature : model.temperatures) {
    if (!(temperature >= kLeastTemperature && temperature <= kMostTemperature))
      return corrupt("a temperature is not a number from 0.001 to 1000");
  }
  if (model.operating_points.size() > kMaxOperatingPoints)
    return corrupt(std::to_string(model.operating_points.size()) + " operating points, more than " +
                   std::to_string(kMaxOperatingPoints));
  std::set<std::string_view> names;
  for (const OperatingPoint& point : model.operating_points) {
    const std::string where = "operating point " + quoted(point.name);
    BITTERN_RETURN_IF_ERROR(check_name(point.name, where));
    BITTERN_RETURN_IF_ERROR(check_name(point.rule, where + ": rule"));
    BITTERN_RETURN_IF_ERROR(check_text(point.promise, where + ": promise"));
    if (!names.insert(point.name).second) return corrupt(where + " stands twice");
    if (point.thresholds.size() != exits)
      return corrupt(where + " has " + std::to_string(point.thresholds.size()) + " thresholds for " +
                     std::to_string(exits) + " exits");
    BITTERN_RETURN_IF_ERROR(check_finite(point.thresholds, where));
  }
  if (model.self_test && model.self_test->stages.size() != exits)
    return corrupt("the self-test has " + std::to_string(model.self_test->stages.size()) + " stages for " +
                   std::to_string(exits) + " exits");
  return {};
}

Status check_provenance(const Provenance& provenance) {
  BITTERN_RETURN_IF_ERROR(check_text(provenance.architecture, "provenance: architecture"));
  BITTERN_RETURN_IF_ERROR(check_text(provenance.placement, "provenance: placement"));
  BITTERN_RETURN_IF_ERROR(check_text(provenance.data_name, "provenance: data name"));
  BITTERN_RETURN_IF_ERROR(check_text(provenance.data_digest, "provenance: data digest"));
  BITTERN_RETURN_IF_ERROR(check_text(provenance.recipe, "provenance: recipe"));
  BITTERN_RETURN_IF_ERROR(check_text(provenance.metrics, "provenance: metrics"));
  BITTERN_RETURN_IF_ERROR(check_text(provenance.tool_version, "provenance: tool version"));
  BITTERN_RETURN_IF_ERROR(check_text(provenance.license, "provenance: license"));
  return check_text(provenance.date, "provenance: date");
}

}  // namespace

LayerSizes sizes_of(const graph::Network& network, int layer) {
  const auto wide = [](std::int64_t value) { return static_cast<std::uint64_t>(value); };
  const graph::Op& op = network.layer(layer).op;
  if (std::holds_alternative<graph::Input>(op)) return {};
  const graph::Shape& input = network.input_of(layer);
  const auto taps = [&](const graph::Extent& kernel) { return wide(kernel.time) * wide(kernel.frequency); };
  return std::visit(
      Overloaded{[&](const graph::Conv2d& conv) -> LayerSizes {
                   if (conv.int8)
                     return {.scale = wide(conv.out_channels),
                             .int8_kernel = int8_kernel_bytes(conv.out_channels, conv.kernel.time,
                                                              conv.kernel.frequency * input.channels)};
                   return {.kernel = taps(conv.kernel) * wide(input.channels / conv.groups) *
                                     wide(conv.out_channels),
                           .bias = conv.bias ? wide(conv.out_channels) : 0};
                 },
                 [&](const graph::BinaryConv2d& conv) -> LayerSizes {
                   return {.bits = packed_kernel_words(
                               conv.out_channels, conv.kernel.time * conv.kernel.frequency, input.channels),
                           .scale = conv.has_scale() ? wide(conv.out_channels) : 0};
                 },
                 [&](const graph::BatchNorm&) -> LayerSizes {
                   return {.scale = wide(input.channels), .bias = wide(input.channels)};
                 },
                 [&](const graph::Prelu&) -> LayerSizes { return {.scale = wide(input.channels)}; },
                 [&](const graph::Exit& exit) -> LayerSizes {
                   const int inputs = graph::dense_inputs(exit, input);
                   const std::uint64_t norm = exit.norm == graph::ExitNorm::kNone ? 0
                                              : exit.norm == graph::ExitNorm::kBeforePool
                                                  ? wide(input.channels)
                                                  : wide(inputs);
                   const auto classes = wide(exit.classes);
                   const auto if_dense = [&](graph::ExitDense dense, std::uint64_t elements) {
                     return exit.dense == dense ? elements : 0;
                   };
                   return {.kernel = if_dense(graph::ExitDense::kFloat, wide(inputs) * classes),
                           .bits = if_dense(graph::ExitDense::kBinary, classes * wide(words_for(inputs))),
                           .scale = exit.dense == graph::ExitDense::kFloat ? 0 : classes,
                           .bias = classes,
                           .norm_scale = norm,
                           .norm_bias = norm,
                           .int8_kernel = if_dense(graph::ExitDense::kInt8, wide(inputs) * classes)};
                 },
                 [](const auto&) -> LayerSizes { return {}; }},
      op);
}

Status validate(const Model& model) {
  const auto layers = static_cast<int>(model.network.layers().size());
  if (layers == 0) return corrupt("the network has no layers");
  BITTERN_RETURN_IF_ERROR(check_text(model.network.architecture(), "architecture"));
  if (model.weights.size() != size(layers))
    return corrupt(std::to_string(model.weights.size()) + " sets of weights for " + std::to_string(layers) +
                   " layers");
  BITTERN_RETURN_IF_ERROR(check_front_end(model));
  BITTERN_RETURN_IF_ERROR(check_labels(model));
  BITTERN_RETURN_IF_ERROR(check_exits(model));
  BITTERN_RETURN_IF_ERROR(check_provenance(model.provenance));
  for (int layer = 0; layer < layers; ++layer) {
    BITTERN_RETURN_IF_ERROR(
        check_name(model.network.layer(layer).name, "layer " + std::to_string(layer) + ": name"));
    BITTERN_RETURN_IF_ERROR(check_layer(model, layer));
  }
  return {};
}

}  // namespace bittern::model
