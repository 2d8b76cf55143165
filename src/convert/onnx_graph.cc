#include "convert/onnx_graph.h"

#include <bit>

namespace bittern::convert {
namespace {

static_assert(std::endian::native == std::endian::little, "ONNX stores tensors little-endian");

constexpr const char* kBatch = "N";

void describe(onnx::ValueInfoProto& info, const std::string& name, const OnnxGraph::Dims& dims,
              const std::string& description) {
  info.set_name(name);
  info.set_doc_string(description);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(onnx::TensorProto::FLOAT);
  tensor.mutable_shape()->add_dim()->set_dim_param(kBatch);
  for (const std::int64_t dim : dims) tensor.mutable_shape()->add_dim()->set_dim_value(dim);
}

template <class T>
void store(onnx::TensorProto& tensor, std::span<const T> values) {
  tensor.set_raw_data(values.data(), values.size_bytes());
}

}  // namespace

OnnxGraph::Value OnnxGraph::claim(const std::string& wanted) {
  std::string name = wanted;
  for (int number = 2; !names_.insert(name).second; ++number) name = wanted + "#" + std::to_string(number);
  return name;
}

void OnnxGraph::input(const Value& value, const Dims& dims, const std::string& description) {
  describe(*graph_.add_input(), value, dims, description);
}

void OnnxGraph::output(const Value& value, const Dims& dims, const std::string& description) {
  describe(*graph_.add_output(), value, dims, description);
}

OnnxGraph::Value OnnxGraph::node_into(const Value& output, const char* op, const std::vector<Value>& inputs,
                                      const std::vector<Attribute>& attributes) {
  onnx::NodeProto& node = *graph_.add_node();
  node.set_op_type(op);
  node.set_name(output);
  for (const Value& input : inputs) node.add_input(input);
  node.add_output(output);
  for (const Attribute& given : attributes) {
    onnx::AttributeProto& attribute = *node.add_attribute();
    attribute.set_name(given.name);
    if (const auto* one = std::get_if<std::int64_t>(&given.value)) {
      attribute.set_type(onnx::AttributeProto::INT);
      attribute.set_i(*one);
    } else {
      attribute.set_type(onnx::AttributeProto::INTS);
      for (const std::int64_t value : std::get<Dims>(given.value)) attribute.add_ints(value);
    }
  }
  return output;
}

OnnxGraph::Value OnnxGraph::node(const std::string& wanted, const char* op, const std::vector<Value>& inputs,
                                 const std::vector<Attribute>& attributes) {
  return node_into(claim(wanted), op, inputs, attributes);
}

onnx::TensorProto& OnnxGraph::constant(const Value& value, const Dims& dims, std::int32_t type) {
  onnx::TensorProto& tensor = *graph_.add_initializer();
  tensor.set_name(value);
  tensor.set_data_type(type);
  for (const std::int64_t dim : dims) tensor.add_dims(dim);
  return tensor;
}

OnnxGraph::Value OnnxGraph::scalar(float value) {
  const auto [known, is_new] = scalars_.try_emplace(value);
  if (is_new) known->second = floats("constant" + std::to_string(scalars_.size()), {}, {&value, 1});
  return known->second;
}

OnnxGraph::Value OnnxGraph::floats(const std::string& wanted, const Dims& dims,
                                   std::span<const float> values) {
  Value value = claim(wanted);
  store(constant(value, dims, onnx::TensorProto::FLOAT), values);
  return value;
}

OnnxGraph::Value OnnxGraph::integers(const std::string& wanted, const Dims& values) {
  Value value = claim(wanted);
  store(constant(value, {static_cast<std::int64_t>(values.size())}, onnx::TensorProto::INT64),
        std::span<const std::int64_t>(values));
  return value;
}

OnnxGraph::Value OnnxGraph::small_integers(const std::string& wanted, const Dims& dims,
                                           std::span<const std::int8_t> values) {
  const Value stored = claim(wanted + "/int8");
  store(constant(stored, dims, onnx::TensorProto::INT8), values);
  return node(wanted, "Cast", {stored}, {{"to", std::int64_t{onnx::TensorProto::FLOAT}}});
}

}  // namespace bittern::convert
