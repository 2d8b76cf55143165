#include "model/network_reader.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/limits.h"
#include "model/stored_values.h"

namespace bittern::model {
namespace {

// Reads the enumerators of one layer; an unknown one is kept as an error until the end.
class Enumerators {
 public:
  template <class Ours, class Theirs>
  Ours get(Theirs value) {
    if (value > Theirs::MAX) known_ = false;
    return static_cast<Ours>(value);
  }
  bool known() const { return known_; }

 private:
  bool known_ = true;
};

graph::Extent extent(const schema::Extent* extent) { return {extent->time(), extent->frequency()}; }

graph::Conv2d read_conv2d(const schema::Conv2d& op, Enumerators& values) {
  return {.kernel = extent(op.kernel()),
          .stride = extent(op.stride()),
          .padding = values.get<graph::Padding>(op.padding()),
          .out_channels = op.out_channels(),
          .groups = op.groups(),
          .bias = op.bias(),
          .initializer = values.get<graph::Initializer>(op.initializer()),
          .trainable = op.trainable(),
          .int8 = op.int8() == nullptr
                      ? std::nullopt
                      : std::optional(graph::Int8Input{op.int8()->scale(), op.int8()->zero()})};
}

graph::BinaryConv2d read_binary_conv2d(const schema::BinaryConv2d& op, Enumerators& values) {
  return {.kernel = extent(op.kernel()),
          .stride = extent(op.stride()),
          .padding = values.get<graph::Padding>(op.padding()),
          .pad_value = values.get<graph::BinaryPadding>(op.pad_value()),
          .out_channels = op.out_channels(),
          .input_quantizer = values.get<graph::Quantizer>(op.input_quantizer()),
          .input_clip = op.input_clip(),
          .kernel_quantizer = values.get<graph::Quantizer>(op.kernel_quantizer()),
          .kernel_clip = op.kernel_clip(),
          .initializer = values.get<graph::Initializer>(op.initializer())};
}

graph::Exit read_exit(const schema::Exit& op, Enumerators& values) {
  return {.relu = op.relu(),
          .norm = values.get<graph::ExitNorm>(op.norm()),
          .norm_epsilon = op.norm_epsilon(),
          .norm_momentum = op.norm_momentum(),
          .pool = values.get<graph::ExitPool>(op.pool()),
          .dense = values.get<graph::ExitDense>(op.dense()),
          .classes = op.classes(),
          .initializer = values.get<graph::Initializer>(op.initializer())};
}

template <class Pool, class Stored>
Pool read_pool(const Stored& op, Enumerators& values) {
  return {.kernel = extent(op.kernel()),
          .stride = extent(op.stride()),
          .padding = values.get<graph::Padding>(op.padding())};
}

// Sets op (and an Input's output shape). False where the file names an op or a setting that does not exist.
bool read_op(const schema::Layer& stored, graph::Layer& layer) {
  if (stored.op() == nullptr) return false;
  Enumerators values;
  switch (stored.op_type()) {
    case schema::Op::Input: {
      const schema::Input& input = *stored.op_as_Input();
      layer.op = graph::Input{};
      layer.output = {input.time(), input.frequency(), input.channels()};
      break;
    }
    case schema::Op::Conv2d:
      layer.op = read_conv2d(*stored.op_as_Conv2d(), values);
      break;
    case schema::Op::BinaryConv2d:
      layer.op = read_binary_conv2d(*stored.op_as_BinaryConv2d(), values);
      break;
    case schema::Op::BatchNorm: {
      const schema::BatchNorm& norm = *stored.op_as_BatchNorm();
      layer.op = graph::BatchNorm{norm.epsilon(), norm.momentum(), norm.scale(), norm.center()};
      break;
    }
    case schema::Op::Relu:
      layer.op = graph::Relu{};
      break;
    case schema::Op::Prelu:
      layer.op = graph::Prelu{};
      break;
    case schema::Op::MaxPool:
      layer.op = read_pool<graph::MaxPool>(*stored.op_as_MaxPool(), values);
      break;
    case schema::Op::AvgPool:
      layer.op = read_pool<graph::AvgPool>(*stored.op_as_AvgPool(), values);
      break;
    case schema::Op::Add:
      layer.op = graph::Add{};
      break;
    case schema::Op::Concat:
      layer.op = graph::Concat{};
      break;
    case schema::Op::Exit:
      layer.op = read_exit(*stored.op_as_Exit(), values);
      break;
    default:
      return false;
  }
  return values.known();
}

}  // namespace

Expected<graph::Network> read_network(const schema::Model& stored) {
  BITTERN_ASSIGN_OR_RETURN(std::string architecture,
                           read_text(*stored.architecture(), kMaxNameBytes, "the architecture's name"));
  if (stored.layers()->size() > graph::kMaxLayers)
    return corrupt(std::to_string(stored.layers()->size()) + " layers, more than " +
                   std::to_string(graph::kMaxLayers));
  std::vector<graph::Layer> layers;
  layers.reserve(stored.layers()->size());
  for (const schema::Layer* source : *stored.layers()) {
    graph::Layer layer;
    BITTERN_ASSIGN_OR_RETURN(layer.name, read_text(*source->name(), kMaxNameBytes, "a layer's name"));
    BITTERN_ASSIGN_OR_RETURN(layer.inputs,
                             read_list<int>(*source->inputs(), graph::kMaxLayers, "inputs of one layer"));
    if (!read_op(*source, layer))
      return corrupt("layer " + std::to_string(layers.size()) +
                     " is of an unknown kind or has an unknown setting");
    layers.push_back(std::move(layer));
  }
  auto network = graph::Network::create(std::move(architecture), std::move(layers));
  if (!network.ok()) return corrupt("its network does not hold together: " + network.error().message);
  return network;
}

}  // namespace bittern::model
