// What an ONNX graph is written with: nodes, constants, and names that no other value has.
#pragma once

#include <onnx/onnx_pb.h>

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace bittern::convert {

class OnnxGraph {
 public:
  // The name of a tensor in the graph.
  using Value = std::string;
  using Dims = std::vector<std::int64_t>;
  struct Attribute {
    const char* name;
    std::variant<std::int64_t, Dims> value;
  };

  // Writes into `graph`, which must outlive this.
  explicit OnnxGraph(onnx::GraphProto& graph) : graph_(graph) {}

  // A name that nothing has yet: `wanted`, or that with something behind it.
  Value claim(const std::string& wanted);

  // float32 [N, dims]; `description` is for people.
  void input(const Value& value, const Dims& dims, const std::string& description);
  void output(const Value& value, const Dims& dims, const std::string& description);

  // A node that makes `output`, a claimed name, of one result; returns it.
  Value node_into(const Value& output, const char* op, const std::vector<Value>& inputs,
                  const std::vector<Attribute>& attributes = {});
  // The same under a name claimed here.
  Value node(const std::string& wanted, const char* op, const std::vector<Value>& inputs,
             const std::vector<Attribute>& attributes = {});

  Value scalar(float value);  // the same one for the same value
  Value floats(const std::string& wanted, const Dims& dims, std::span<const float> values);
  Value integers(const std::string& wanted, const Dims& values);  // int64 [values.size()]
  // float32 of whole numbers, stored as int8 with a Cast behind them: a quarter of the bytes. Runtimes do
  // that Cast once, when they load the graph.
  Value small_integers(const std::string& wanted, const Dims& dims, std::span<const std::int8_t> values);

 private:
  onnx::TensorProto& constant(const Value& value, const Dims& dims, std::int32_t type);

  onnx::GraphProto& graph_;
  std::set<std::string, std::less<>> names_;
  std::map<float, Value> scalars_;
};

}  // namespace bittern::convert
