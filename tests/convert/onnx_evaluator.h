// A slow, obvious evaluator of the ONNX operators that the export writes. Sums of a convolution run over taps
// first, then channels, as in the runtime's own reference (tests/runtime/reference.h), so that every sign
// comes out as there.
#pragma once

#include <gtest/gtest.h>
#include <onnx/onnx_pb.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <string>
#include <vector>

namespace bittern::convert {

struct OnnxTensor {
  std::vector<std::int64_t> dims;
  std::vector<float> data;

  OnnxTensor() = default;
  explicit OnnxTensor(std::vector<std::int64_t> d)
      : dims(std::move(d)), data(static_cast<std::size_t>(count(dims))) {}
  static std::int64_t count(const std::vector<std::int64_t>& dims) {
    return std::accumulate(dims.begin(), dims.end(), std::int64_t{1}, std::multiplies<>());
  }
  float& at(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) {
    return data[static_cast<std::size_t>(((a * dims[1] + b) * dims[2] + c) * dims[3] + d)];
  }
  float at(std::int64_t a, std::int64_t b, std::int64_t c, std::int64_t d) const {
    return data[static_cast<std::size_t>(((a * dims[1] + b) * dims[2] + c) * dims[3] + d)];
  }
};

class OnnxEvaluator {
 public:
  explicit OnnxEvaluator(const onnx::GraphProto& graph) : graph_(graph) {
    for (const onnx::TensorProto& tensor : graph.initializer()) values_[tensor.name()] = read(tensor);
  }

  // Every tensor of the graph by its name.
  const std::map<std::string, OnnxTensor>& run(OnnxTensor features) {
    values_[graph_.input(0).name()] = std::move(features);
    for (const onnx::NodeProto& node : graph_.node()) {
      node_ = &node;
      const bool is_new = values_.emplace(node.output(0), compute(node.op_type())).second;
      EXPECT_TRUE(is_new) << node.output(0);
    }
    return values_;
  }

 private:
  using Ints = std::vector<std::int64_t>;

  template <class T>
  static void fill(const onnx::TensorProto& tensor, OnnxTensor& to) {
    ASSERT_EQ(tensor.raw_data().size(), to.data.size() * sizeof(T)) << tensor.name();
    for (std::size_t i = 0; i < to.data.size(); ++i) {
      T value;
      std::memcpy(&value, tensor.raw_data().data() + i * sizeof(T), sizeof(T));
      to.data[i] = static_cast<float>(value);
    }
  }

  static OnnxTensor read(const onnx::TensorProto& tensor) {
    OnnxTensor result(Ints(tensor.dims().begin(), tensor.dims().end()));
    if (tensor.data_type() == onnx::TensorProto::FLOAT) fill<float>(tensor, result);
    if (tensor.data_type() == onnx::TensorProto::INT8) fill<std::int8_t>(tensor, result);
    if (tensor.data_type() == onnx::TensorProto::INT64) fill<std::int64_t>(tensor, result);
    return result;
  }

  const OnnxTensor& in(int i) const {
    const auto found = values_.find(node_->input(i));
    EXPECT_NE(found, values_.end()) << node_->name() << " reads " << node_->input(i);
    return found->second;
  }
  const onnx::AttributeProto* find(const char* name) const {
    for (const onnx::AttributeProto& attribute : node_->attribute())
      if (attribute.name() == name) return &attribute;
    return nullptr;
  }
  Ints ints(const char* name) const {
    const onnx::AttributeProto* found = find(name);
    return found == nullptr ? Ints() : Ints(found->ints().begin(), found->ints().end());
  }
  std::int64_t integer(const char* name, std::int64_t otherwise) const {
    const onnx::AttributeProto* found = find(name);
    return found == nullptr ? otherwise : found->i();
  }

  OnnxTensor compute(const std::string& op) const {
    if (op == "Cast") return in(0);
    if (op == "Unsqueeze") return unsqueeze();
    if (op == "Less")
      return broadcast({&in(0), &in(1)}, [](const float* x) { return x[0] < x[1] ? 1.0F : 0.0F; });
    if (op == "Where")
      return broadcast({&in(0), &in(1), &in(2)}, [](const float* x) { return x[0] != 0.0F ? x[1] : x[2]; });
    if (op == "Mul") return broadcast({&in(0), &in(1)}, [](const float* x) { return x[0] * x[1]; });
    if (op == "Add") return broadcast({&in(0), &in(1)}, [](const float* x) { return x[0] + x[1]; });
    if (op == "Relu") return broadcast({&in(0)}, [](const float* x) { return x[0] > 0.0F ? x[0] : 0.0F; });
    if (op == "Round") return broadcast({&in(0)}, [](const float* x) { return std::nearbyint(x[0]); });
    if (op == "Clip")
      return broadcast({&in(0), &in(1), &in(2)},
                       [](const float* x) { return std::min(std::max(x[0], x[1]), x[2]); });
    if (op == "PRelu")
      return broadcast({&in(0), &in(1)}, [](const float* x) { return x[0] > 0.0F ? x[0] : x[0] * x[1]; });
    if (op == "Pad") return pad();
    if (op == "Conv") return conv();
    if (op == "MaxPool" || op == "AveragePool") return pool(op == "MaxPool");
    if (op == "Concat") return concat();
    if (op == "ReduceMean") return mean();
    if (op == "Flatten") {
      OnnxTensor result = in(0);
      result.dims = {in(0).dims[0], OnnxTensor::count(in(0).dims) / in(0).dims[0]};
      return result;
    }
    if (op == "MatMul") return matmul();
    ADD_FAILURE() << "the export should not write " << op;
    return {};
  }

  OnnxTensor unsqueeze() const {
    OnnxTensor result = in(0);
    result.dims.insert(result.dims.begin() + static_cast<std::ptrdiff_t>(in(1).data[0]), 1);
    return result;
  }

  template <class Function>
  static OnnxTensor broadcast(const std::vector<const OnnxTensor*>& inputs, const Function& function) {
    std::size_t rank = 0;
    for (const OnnxTensor* input : inputs) rank = std::max(rank, input->dims.size());
    Ints dims(rank, 1);
    const auto dim = [&](const OnnxTensor& x, std::size_t axis) {
      const std::size_t missing = rank - x.dims.size();
      return axis < missing ? 1 : x.dims[axis - missing];
    };
    for (std::size_t axis = 0; axis < rank; ++axis) {
      for (const OnnxTensor* input : inputs) dims[axis] = std::max(dims[axis], dim(*input, axis));
      for (const OnnxTensor* input : inputs)
        EXPECT_TRUE(dim(*input, axis) == 1 || dim(*input, axis) == dims[axis]);
    }
    OnnxTensor result(dims);
    std::vector<float> values(inputs.size());
    for (std::size_t i = 0; i < result.data.size(); ++i) {
      for (std::size_t k = 0; k < inputs.size(); ++k) {
        std::int64_t rest = static_cast<std::int64_t>(i), at = 0, stride = 1;
        for (std::size_t axis = rank; axis-- > 0; rest /= dims[axis]) {
          const std::int64_t own = dim(*inputs[k], axis);
          at += own == 1 ? 0 : rest % dims[axis] * stride;
          stride *= own;
        }
        values[k] = inputs[k]->data[static_cast<std::size_t>(at)];
      }
      result.data[i] = function(values.data());
    }
    return result;
  }

  OnnxTensor pad() const {
    const OnnxTensor &x = in(0), &amounts = in(1);
    const auto amount = [&](std::size_t i) { return static_cast<std::int64_t>(amounts.data[i]); };
    Ints dims = x.dims;
    for (std::size_t axis = 0; axis < 4; ++axis) dims[axis] += amount(axis) + amount(axis + 4);
    OnnxTensor result(dims);
    const float value = node_->input_size() > 2 ? in(2).data[0] : 0.0F;
    std::fill(result.data.begin(), result.data.end(), value);
    for (std::int64_t n = 0; n < x.dims[0]; ++n) {
      for (std::int64_t c = 0; c < x.dims[1]; ++c) {
        for (std::int64_t t = 0; t < x.dims[2]; ++t) {
          for (std::int64_t f = 0; f < x.dims[3]; ++f)
            result.at(n + amount(0), c + amount(1), t + amount(2), f + amount(3)) = x.at(n, c, t, f);
        }
      }
    }
    return result;
  }

  // visit(n, t, f, each_tap) for every output pixel; each_tap(visit(tap, t, f)) for the taps inside.
  template <class Visit>
  OnnxTensor slide(std::int64_t channels, const Visit& visit) const {
    const OnnxTensor& x = in(0);
    const Ints kernel = ints("kernel_shape"), strides = ints("strides"), pads = ints("pads");
    const auto size = [&](std::size_t i) {
      return (x.dims[2 + i] + pads[i] + pads[2 + i] - kernel[i]) / strides[i] + 1;
    };
    OnnxTensor result({x.dims[0], channels, size(0), size(1)});
    for (std::int64_t n = 0; n < x.dims[0]; ++n) {
      for (std::int64_t c = 0; c < channels; ++c) {
        for (std::int64_t t = 0; t < result.dims[2]; ++t) {
          for (std::int64_t f = 0; f < result.dims[3]; ++f) {
            result.at(n, c, t, f) = visit(n, c, [&](const auto& each) {
              for (std::int64_t i = 0; i < kernel[0]; ++i) {
                for (std::int64_t j = 0; j < kernel[1]; ++j) {
                  const std::int64_t ti = t * strides[0] - pads[0] + i, fi = f * strides[1] - pads[1] + j;
                  if (ti >= 0 && ti < x.dims[2] && fi >= 0 && fi < x.dims[3]) each(i, j, ti, fi);
                }
              }
            });
          }
        }
      }
    }
    return result;
  }

  OnnxTensor conv() const {
    const OnnxTensor &x = in(0), &kernel = in(1);
    const std::int64_t group_in = kernel.dims[1], groups = integer("group", 1);
    EXPECT_EQ(group_in * groups, x.dims[1]);
    const std::int64_t group_out = kernel.dims[0] / groups;
    return slide(kernel.dims[0], [&](std::int64_t n, std::int64_t o, const auto& taps) {
      float sum = 0;
      taps([&](std::int64_t i, std::int64_t j, std::int64_t t, std::int64_t f) {
        for (std::int64_t c = 0; c < group_in; ++c)
          sum += x.at(n, o / group_out * group_in + c, t, f) * kernel.at(o, c, i, j);
      });
      return node_->input_size() > 2 ? sum + in(2).data[static_cast<std::size_t>(o)] : sum;
    });
  }

  OnnxTensor pool(bool max) const {
    const OnnxTensor& x = in(0);
    if (!max) {
      EXPECT_EQ(integer("count_include_pad", 0), 0);
    }
    return slide(x.dims[1], [&](std::int64_t n, std::int64_t c, const auto& taps) {
      float largest = -std::numeric_limits<float>::infinity(), sum = 0, pixels = 0;
      taps([&](std::int64_t, std::int64_t, std::int64_t t, std::int64_t f) {
        largest = std::max(largest, x.at(n, c, t, f));
        sum = pixels == 0 ? x.at(n, c, t, f) : sum + x.at(n, c, t, f);
        ++pixels;
      });
      return max ? largest : sum / pixels;
    });
  }

  OnnxTensor concat() const {
    EXPECT_EQ(integer("axis", 0), 1);
    Ints dims = in(0).dims;
    for (int i = 1; i < node_->input_size(); ++i) dims[1] += in(i).dims[1];
    OnnxTensor result(dims);
    for (std::int64_t n = 0; n < dims[0]; ++n) {
      std::int64_t before = 0;
      for (int i = 0; i < node_->input_size(); ++i) {
        const OnnxTensor& x = in(i);
        for (std::int64_t c = 0; c < x.dims[1]; ++c) {
          for (std::int64_t t = 0; t < dims[2]; ++t) {
            for (std::int64_t f = 0; f < dims[3]; ++f) result.at(n, before + c, t, f) = x.at(n, c, t, f);
          }
        }
        before += x.dims[1];
      }
    }
    return result;
  }

  // Over time, or over time and frequency.
  OnnxTensor mean() const {
    const OnnxTensor& x = in(0);
    EXPECT_EQ(integer("keepdims", 1), 0);
    const bool by_time = ints("axes") == Ints{2};
    EXPECT_TRUE(by_time || ints("axes") == (Ints{2, 3}));
    OnnxTensor result(by_time ? Ints{x.dims[0], x.dims[1], x.dims[3]} : Ints{x.dims[0], x.dims[1]});
    for (std::int64_t n = 0; n < x.dims[0]; ++n) {
      for (std::int64_t c = 0; c < x.dims[1]; ++c) {
        for (std::int64_t t = 0; t < x.dims[2]; ++t) {
          for (std::int64_t f = 0; f < x.dims[3]; ++f) {
            const std::int64_t row = n * x.dims[1] + c;
            result.data[static_cast<std::size_t>(by_time ? row * x.dims[3] + f : row)] += x.at(n, c, t, f);
          }
        }
      }
    }
    const auto pixels = static_cast<float>(by_time ? x.dims[2] : x.dims[2] * x.dims[3]);
    for (float& value : result.data) value /= pixels;
    return result;
  }

  OnnxTensor matmul() const {
    const OnnxTensor &x = in(0), &kernel = in(1);
    EXPECT_EQ(x.dims[1], kernel.dims[0]);
    OnnxTensor result({x.dims[0], kernel.dims[1]});
    for (std::int64_t n = 0; n < x.dims[0]; ++n) {
      for (std::int64_t j = 0; j < kernel.dims[1]; ++j) {
        float sum = 0;
        for (std::int64_t i = 0; i < x.dims[1]; ++i)
          sum += x.data[static_cast<std::size_t>(n * x.dims[1] + i)] *
                 kernel.data[static_cast<std::size_t>(i * kernel.dims[1] + j)];
        result.data[static_cast<std::size_t>(n * kernel.dims[1] + j)] = sum;
      }
    }
    return result;
  }

  const onnx::GraphProto& graph_;
  std::map<std::string, OnnxTensor> values_;
  const onnx::NodeProto* node_ = nullptr;
};

}  // namespace bittern::convert
