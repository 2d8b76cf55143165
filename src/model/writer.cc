#include <algorithm>
#include <cstring>

#include "core/atomic_file.h"
#include "core/checksum.h"
#include "model/file.h"
#include "model/schema.h"

namespace bittern::model {
namespace {

using flatbuffers::FlatBufferBuilder;
using flatbuffers::Offset;

template <class Theirs, class Ours>
Theirs number(Ours value) {
  return static_cast<Theirs>(value);
}

schema::Extent extent(const graph::Extent& extent) { return {extent.time, extent.frequency}; }

// The union member that holds an op, and the op's attributes.
struct OpWriter {
  FlatBufferBuilder& builder;
  graph::Shape input_shape;

  struct Result {
    schema::Op type;
    Offset<void> offset;
  };

  Result operator()(const graph::Input&) {
    return {
        schema::Op::Input,
        schema::CreateInput(builder, input_shape.time, input_shape.frequency, input_shape.channels).Union()};
  }
  Result operator()(const graph::Conv2d& op) {
    const schema::Extent kernel = extent(op.kernel), stride = extent(op.stride);
    const schema::Int8Input int8 =
        op.int8 ? schema::Int8Input(op.int8->scale, op.int8->zero) : schema::Int8Input();
    return {schema::Op::Conv2d,
            schema::CreateConv2d(
                builder, &kernel, &stride, number<schema::Padding>(op.padding), op.out_channels, op.groups,
                op.bias, number<schema::Initializer>(op.initializer), op.trainable, op.int8 ? &int8 : nullptr)
                .Union()};
  }
  Result operator()(const graph::BinaryConv2d& op) {
    const schema::Extent kernel = extent(op.kernel), stride = extent(op.stride);
    return {schema::Op::BinaryConv2d,
            schema::CreateBinaryConv2d(builder, &kernel, &stride, number<schema::Padding>(op.padding),
                                       number<schema::BinaryPadding>(op.pad_value), op.out_channels,
                                       number<schema::Quantizer>(op.input_quantizer), op.input_clip,
                                       number<schema::Quantizer>(op.kernel_quantizer), op.kernel_clip,
                                       number<schema::Initializer>(op.initializer))
                .Union()};
  }
  Result operator()(const graph::BatchNorm& op) {
    return {schema::Op::BatchNorm,
            schema::CreateBatchNorm(builder, op.epsilon, op.momentum, op.scale, op.center).Union()};
  }
  Result operator()(const graph::Relu&) { return {schema::Op::Relu, schema::CreateRelu(builder).Union()}; }
  Result operator()(const graph::Prelu&) { return {schema::Op::Prelu, schema::CreatePrelu(builder).Union()}; }
  Result operator()(const graph::MaxPool& op) {
    const schema::Extent kernel = extent(op.kernel), stride = extent(op.stride);
    return {schema::Op::MaxPool,
            schema::CreateMaxPool(builder, &kernel, &stride, number<schema::Padding>(op.padding)).Union()};
  }
  Result operator()(const graph::AvgPool& op) {
    const schema::Extent kernel = extent(op.kernel), stride = extent(op.stride);
    return {schema::Op::AvgPool,
            schema::CreateAvgPool(builder, &kernel, &stride, number<schema::Padding>(op.padding)).Union()};
  }
  Result operator()(const graph::Add&) { return {schema::Op::Add, schema::CreateAdd(builder).Union()}; }
  Result operator()(const graph::Concat&) {
    return {schema::Op::Concat, schema::CreateConcat(builder).Union()};
  }
  Result operator()(const graph::Exit& op) {
    return {schema::Op::Exit,
            schema::CreateExit(builder, op.relu, number<schema::ExitNorm>(op.norm), op.norm_epsilon,
                               op.norm_momentum, number<schema::ExitPool>(op.pool),
                               number<schema::ExitDense>(op.dense), op.classes,
                               number<schema::Initializer>(op.initializer))
                .Union()};
  }
};

template <class T>
void add_tensor(FlatBufferBuilder& builder, std::vector<Offset<schema::Tensor>>& tensors, schema::Role role,
                std::span<const T> values) {
  if (values.empty()) return;
  constexpr auto kType = std::is_same_v<T, float>         ? schema::ElementType::Float32
                         : std::is_same_v<T, std::int8_t> ? schema::ElementType::Int8
                                                          : schema::ElementType::Word64;
  builder.ForceVectorAlignment(values.size_bytes(), 1, kAlignment);
  const auto data =
      builder.CreateVector(reinterpret_cast<const std::uint8_t*>(values.data()), values.size_bytes());
  tensors.push_back(schema::CreateTensor(builder, role, kType, data));
}

Offset<schema::Layer> add_layer(FlatBufferBuilder& builder, const graph::Layer& layer,
                                const LayerWeights& weights) {
  std::vector<Offset<schema::Tensor>> tensors;
  add_tensor(builder, tensors, schema::Role::Kernel, weights.kernel);
  add_tensor(builder, tensors, schema::Role::Bits, weights.bits);
  add_tensor(builder, tensors, schema::Role::Scale, weights.scale);
  add_tensor(builder, tensors, schema::Role::Bias, weights.bias);
  add_tensor(builder, tensors, schema::Role::NormScale, weights.norm_scale);
  add_tensor(builder, tensors, schema::Role::NormBias, weights.norm_bias);
  add_tensor(builder, tensors, schema::Role::Int8Kernel, weights.int8_kernel);
  const auto tensor_list = builder.CreateVector(tensors);
  const auto name = builder.CreateString(layer.name);
  const auto inputs = builder.CreateVector<std::int32_t>(layer.inputs);
  const OpWriter::Result op = std::visit(OpWriter{builder, layer.output}, layer.op);
  return schema::CreateLayer(builder, name, op.type, op.offset, inputs, tensor_list);
}

Offset<schema::FrontEnd> add_front_end(FlatBufferBuilder& builder, const features::LogMelSpec& spec) {
  const auto scale = builder.CreateVector(spec.normalize_scale);
  const auto bias = builder.CreateVector(spec.normalize_bias);
  return schema::CreateFrontEnd(builder, spec.sample_rate, spec.clip_samples, spec.frame_length, spec.hop,
                                spec.fft_size, spec.mel_bins, spec.low_hz, spec.high_hz, spec.offset, scale,
                                bias);
}

Offset<schema::OperatingPoint> add_operating_point(FlatBufferBuilder& builder, const OperatingPoint& point) {
  const auto name = builder.CreateString(point.name);
  const auto rule = builder.CreateString(point.rule);
  const auto thresholds = builder.CreateVector(point.thresholds);
  const auto promise = builder.CreateString(point.promise);
  return schema::CreateOperatingPoint(builder, name, rule, thresholds, promise);
}

Offset<schema::Provenance> add_provenance(FlatBufferBuilder& builder, const Provenance& provenance) {
  const auto architecture = builder.CreateString(provenance.architecture);
  const auto placement = builder.CreateString(provenance.placement);
  const auto data_name = builder.CreateString(provenance.data_name);
  const auto data_digest = builder.CreateString(provenance.data_digest);
  const auto recipe = builder.CreateString(provenance.recipe);
  const auto metrics = builder.CreateString(provenance.metrics);
  const auto tool_version = builder.CreateString(provenance.tool_version);
  const auto license = builder.CreateString(provenance.license);
  const auto date = builder.CreateString(provenance.date);
  return schema::CreateProvenance(builder, architecture, placement, data_name, data_digest, recipe, metrics,
                                  tool_version, license, date, provenance.seed);
}

Offset<schema::SelfTest> add_self_test(FlatBufferBuilder& builder, const SelfTest& test) {
  const auto stages = builder.CreateVector(test.stages);
  return schema::CreateSelfTest(builder, test.features, stages, test.logits);
}

std::size_t tensor_bytes(const Model& model) {
  std::size_t bytes = 0;
  for (const LayerWeights& weights : model.weights) {
    bytes += weights.kernel.size_bytes() + weights.bits.size_bytes() + weights.scale.size_bytes() +
             weights.bias.size_bytes() + weights.norm_scale.size_bytes() + weights.norm_bias.size_bytes() +
             weights.int8_kernel.size_bytes();
  }
  return bytes;
}

Error too_large(std::size_t bytes) {
  return invalid_argument("the model would take " + std::to_string(bytes) +
                          " bytes, more than a file's limit of " + std::to_string(kMaxFileBytes));
}

// The oldest version that has all of the network's layers, so that older builds read whatever they can.
std::uint32_t major_for(const graph::Network& network) {
  std::uint32_t major = 1;
  for (const graph::Layer& layer : network.layers()) {
    if (std::holds_alternative<graph::Prelu>(layer.op)) major = std::max(major, 2U);
    const auto* conv = std::get_if<graph::Conv2d>(&layer.op);
    if (conv != nullptr && conv->int8) major = std::max(major, 3U);
    const auto* exit = std::get_if<graph::Exit>(&layer.op);
    if (exit != nullptr && exit->dense == graph::ExitDense::kInt8) major = std::max(major, 3U);
  }
  return major;
}

// Fills in the file's length, then the checksum over everything else.
void finish_header(std::vector<std::byte>& file, std::uint32_t major) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(file.data());
  const schema::Header* stored = schema::GetModel(data)->header();
  const auto at = static_cast<std::size_t>(reinterpret_cast<const std::uint8_t*>(stored) - data);
  const auto store = [&](const schema::Header& header) {
    std::memcpy(file.data() + at, &header, sizeof(header));
  };
  store({major, kFormatMinor, file.size(), 0});
  store({major, kFormatMinor, file.size(), checksum(file)});
}

}  // namespace

Expected<std::vector<std::byte>> serialize(const Model& model) {
  BITTERN_RETURN_IF_ERROR(validate(model));
  // Before building: FlatBuffers has no error for a buffer that grows too large.
  if (tensor_bytes(model) > kMaxFileBytes) return too_large(tensor_bytes(model));

  FlatBufferBuilder builder(tensor_bytes(model) + 65536);
  builder.ForceDefaults(true);  // every field is in the file, whatever its value
  std::vector<Offset<schema::Layer>> layers;
  for (std::size_t i = 0; i < model.weights.size(); ++i)
    layers.push_back(add_layer(builder, model.network.layers()[i], model.weights[i]));
  const auto layer_list = builder.CreateVector(layers);
  const auto architecture = builder.CreateString(model.network.architecture());
  const auto front_end = add_front_end(builder, model.front_end);
  const auto labels = builder.CreateVectorOfStrings(model.labels);
  const auto temperatures = builder.CreateVector(model.temperatures);
  std::vector<Offset<schema::OperatingPoint>> points;
  for (const OperatingPoint& point : model.operating_points)
    points.push_back(add_operating_point(builder, point));
  const auto point_list = builder.CreateVector(points);
  const auto provenance = add_provenance(builder, model.provenance);
  Offset<schema::SelfTest> self_test;
  if (model.self_test) self_test = add_self_test(builder, *model.self_test);
  const schema::Header header(kFormatMajor, kFormatMinor, 0, 0);
  schema::FinishModelBuffer(builder,
                            schema::CreateModel(builder, &header, architecture, layer_list, front_end, labels,
                                                temperatures, point_list, provenance, self_test));
  if (builder.GetSize() > kMaxFileBytes) return too_large(builder.GetSize());

  const auto* data = reinterpret_cast<const std::byte*>(builder.GetBufferPointer());
  std::vector<std::byte> file(data, data + builder.GetSize());
  finish_header(file, major_for(model.network));
  return file;
}

Status save(const Model& model, const std::filesystem::path& path) {
  auto file = serialize(model);
  if (!file.ok()) return Error{file.error().code, path.string() + ": not written: " + file.error().message};
  return write_file(path, *file);
}

}  // namespace bittern::model
