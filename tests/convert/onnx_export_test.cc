#include "convert/onnx_export.h"

#include <gtest/gtest.h>
#include <onnx/checker.h>
#include <onnx/shape_inference/implementation.h>

#include <cmath>
#include <set>

#include "convert/onnx_evaluator.h"
#include "graph/counts.h"
#include "model/random_model.h"
#include "runtime/networks.h"
#include "runtime/reference.h"

namespace bittern::convert {
namespace {

std::shared_ptr<model::Model> model_of(const graph::Network& network, std::uint64_t seed = 1) {
  return model::random_model(network, seed);
}

// As a reader gets it: parsed, and found to be in order by ONNX's own checker and shape inference.
onnx::ModelProto read(const std::string& bytes) {
  onnx::ModelProto proto;
  EXPECT_TRUE(proto.ParseFromString(bytes));
  EXPECT_NO_THROW(onnx::checker::check_model(proto));
  onnx::ModelProto inferred = proto;
  const onnx::ShapeInferenceOptions strict{true, 1, true};
  EXPECT_NO_THROW(onnx::shape_inference::InferShapes(inferred, onnx::OpSchemaRegistry::Instance(), strict));
  return proto;
}

onnx::ModelProto exported(const model::Model& model, int exit = 0) {
  const Expected<std::string> bytes = export_onnx(model, {.exit = exit, .metadata = {}});
  EXPECT_TRUE(bytes.ok()) << bytes.error().message;
  return read(bytes.value());
}

std::vector<std::string> outputs(const onnx::ModelProto& proto) {
  std::vector<std::string> names;
  for (const onnx::ValueInfoProto& output : proto.graph().output()) names.push_back(output.name());
  return names;
}

std::set<std::string> operators(const onnx::ModelProto& proto) {
  std::set<std::string> types;
  for (const onnx::NodeProto& node : proto.graph().node()) types.insert(node.op_type());
  return types;
}

// Several clips at once.
OnnxTensor batch(const std::vector<std::vector<float>>& clips, const graph::Shape& shape) {
  OnnxTensor features({static_cast<std::int64_t>(clips.size()), shape.time, shape.frequency});
  features.data.clear();
  for (const std::vector<float>& clip : clips)
    features.data.insert(features.data.end(), clip.begin(), clip.end());
  return features;
}

// Evaluates `proto` on two clips, and its outputs against what the model's own exits say.
void expect_our_logits(const onnx::ModelProto& proto, const model::Model& model, int only) {
  const graph::Network& network = model.network;
  const std::vector<std::vector<float>> clips{runtime::random_features(network.input_shape(), 3),
                                              runtime::random_features(network.input_shape(), 4)};
  OnnxEvaluator evaluator(proto.graph());
  const auto& values = evaluator.run(batch(clips, network.input_shape()));
  const auto classes = static_cast<std::size_t>(network.classes());
  runtime::Reference reference(model, network);
  for (std::size_t clip = 0; clip < clips.size(); ++clip) {
    reference.run(clips[clip]);
    const std::vector<float> wanted = reference.logits();
    for (int exit = 1; exit <= network.exit_count(); ++exit) {
      const auto found = values.find(onnx_output(exit));
      ASSERT_EQ(found != values.end(), only == 0 || only == exit);
      if (found == values.end()) continue;
      ASSERT_EQ(found->second.dims, (std::vector<std::int64_t>{2, network.classes()}));
      const float* const ours = wanted.data() + static_cast<std::size_t>(exit - 1) * classes;
      float size = 1;
      for (std::size_t j = 0; j < classes; ++j) size = std::max(size, std::abs(ours[j]));
      for (std::size_t j = 0; j < classes; ++j)
        EXPECT_NEAR(found->second.data[clip * classes + j], ours[j], 1e-5F * size)
            << "clip " << clip << " exit " << exit << " label " << j;
    }
  }
}

TEST(OnnxExport, EveryExitSaysWhatTheModelSays) {
  const auto model = model_of(model::tiny_network());
  for (int exit = 0; exit <= model->network.exit_count(); ++exit) {
    SCOPED_TRACE(exit);
    expect_our_logits(exported(*model, exit), *model, exit);
  }
}

// Any layer reading any other, exits of every kind.
TEST(OnnxExport, RandomNetworksSayWhatTheModelSays) {
  int tried = 0;
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; tried < 60; ++seed) {
    const graph::Network network = runtime::random_network(seed, 14);
    if (network.input_shape().channels != 1) continue;
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto model = model_of(network, seed);
    const onnx::ModelProto all = exported(*model);
    expect_our_logits(all, *model, 0);
    const int exit = 1 + static_cast<int>(seed) % network.exit_count();
    expect_our_logits(exported(*model, exit), *model, exit);
    seen.merge(operators(all));
    ++tried;
  }
  // These and no others, as docs/onnx.md says; nothing that decides what to run.
  EXPECT_EQ(seen, (std::set<std::string>{"Add", "AveragePool", "Cast", "Clip", "Concat", "Conv", "Flatten",
                                         "Less", "MatMul", "MaxPool", "Mul", "PRelu", "Pad", "ReduceMean",
                                         "Relu", "Round", "Unsqueeze", "Where"}));
}

class OnnxExportOf : public testing::TestWithParam<std::string> {};

TEST_P(OnnxExportOf, IsInOrderAndSmall) {
  for (const graph::ExitPool pool : {graph::ExitPool::kTime, graph::ExitPool::kGlobal}) {
    graph::BuildOptions options;
    options.architecture = GetParam();
    options.classes = 12;
    options.pool = pool;
    const auto model = model_of(graph::build(options).value());
    const std::string bytes = export_onnx(*model, {}).value();
    const onnx::ModelProto proto = read(bytes);
    EXPECT_EQ(outputs(proto),
              (std::vector<std::string>{"logits_1", "logits_2", "logits_3", "logits_4", "logits_5"}));
    // A byte for a 1-bit weight, four for a float, and a little for names.
    const graph::Counts counts = graph::count(model->network);
    EXPECT_LT(static_cast<double>(bytes.size()),
              static_cast<double>(counts.binary_parameters + 4 * counts.float_parameters) + 100e3);
    const onnx::ModelProto first = exported(*model, 1);
    EXPECT_EQ(outputs(first), std::vector<std::string>{"logits_1"});
    EXPECT_LT(first.graph().node_size(), proto.graph().node_size() / 2);
  }
}

INSTANTIATE_TEST_SUITE_P(All, OnnxExportOf,
                         testing::Values("quicknet", "birealnet-18", "binarydensenet-28", "meliusnet-22"),
                         [](const auto& one) {
                           std::string name = one.param;
                           std::erase(name, '-');
                           return name;
                         });

TEST(OnnxExport, SaysWhatItIs) {
  const auto model = model_of(model::tiny_network());
  const OnnxOptions options{.exit = 2, .metadata = {{"labels", R"(["ja", "nein ä"])"}, {"license", "MIT"}}};
  const std::string bytes = export_onnx(*model, options).value();
  EXPECT_EQ(bytes, export_onnx(*model, options).value());
  const onnx::ModelProto proto = read(bytes);
  EXPECT_EQ(proto.ir_version(), 7);
  ASSERT_EQ(proto.opset_import_size(), 1);
  EXPECT_EQ(proto.opset_import(0).version(), 13);
  EXPECT_EQ(proto.producer_name(), "bittern");
  EXPECT_EQ(proto.graph().name(), "tiny");
  ASSERT_EQ(proto.metadata_props_size(), 2);
  EXPECT_EQ(proto.metadata_props(0).key(), "labels");
  EXPECT_EQ(proto.metadata_props(0).value(), R"(["ja", "nein ä"])");
  EXPECT_EQ(proto.metadata_props(1).value(), "MIT");
  ASSERT_EQ(proto.graph().input_size(), 1);
  const onnx::ValueInfoProto& input = proto.graph().input(0);
  EXPECT_EQ(input.name(), "features");
  ASSERT_EQ(input.type().tensor_type().shape().dim_size(), 3);
  EXPECT_EQ(input.type().tensor_type().shape().dim(0).dim_param(), "N");
  EXPECT_EQ(input.type().tensor_type().shape().dim(1).dim_value(), 20);
  EXPECT_EQ(input.type().tensor_type().shape().dim(2).dim_value(), 16);
  EXPECT_EQ(outputs(proto), std::vector<std::string>{"logits_2"});
}

TEST(OnnxExport, LayersMayHaveTheNamesOfOthers) {
  graph::Builder builder(graph::Shape{6, 4, 1});
  int x = builder.add("logits_1", graph::Conv2d{.kernel = {3, 3}, .out_channels = 5}, {builder.input()});
  x = builder.add("features", graph::BinaryConv2d{.out_channels = 5}, {x});
  x = builder.add("features/sign", graph::BatchNorm{}, {x});
  x = builder.add("constant1", graph::Relu{}, {x});
  x = builder.add("features/kernel", graph::BinaryConv2d{.out_channels = 5}, {x});
  builder.add("logits_2", graph::Exit{.classes = 3}, {x});
  const auto model = model_of(runtime::built("names", builder));
  expect_our_logits(exported(*model), *model, 0);
}

TEST(OnnxExport, RefusesWhatItCannotWrite) {
  const auto model = model_of(model::tiny_network());
  for (const int exit : {-1, 4}) {
    const auto refused = export_onnx(*model, {.exit = exit, .metadata = {}});
    ASSERT_FALSE(refused.ok());
    EXPECT_NE(refused.error().message.find("the model has 3"), std::string::npos) << refused.error().message;
  }
  graph::Builder builder(graph::Shape{6, 4, 2});
  builder.add("exit1", graph::Exit{.classes = 3}, {builder.input()});
  model::Model stereo = *model;
  stereo.network = runtime::built("stereo", builder);
  const auto refused = export_onnx(stereo, {});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("more than one channel"), std::string::npos);
}

}  // namespace
}  // namespace bittern::convert
