#include "graph/network.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/architecture.h"
#include "graph/builder.h"
#include "graph/counts.h"
#include "graph/small_network.h"

namespace bittern::graph {
namespace {

Network small() { return Network::create("small", small_layers()).value(); }

std::vector<std::string> names_of(const Network& network) {
  std::vector<std::string> names;
  for (const Layer& layer : network.layers()) names.push_back(layer.name);
  return names;
}

TEST(Network, KnowsItsLayers) {
  const Network network = small();
  EXPECT_EQ(network.architecture(), "small");
  EXPECT_EQ(network.exits(), (std::vector<int>{kFirstExit, kSideExit, kLastExit}));
  EXPECT_EQ(network.classes(), 5);
  EXPECT_EQ(network.input_shape(), (Shape{40, 32, 1}));
  EXPECT_EQ(network.shape_of(kGroupedLayer), (Shape{10, 8, 4}));
  EXPECT_EQ(network.shape_of(kLastExit), (Shape{1, 1, 5}));
  EXPECT_EQ(network.input_of(kGroupedLayer), (Shape{10, 8, 16}));
  EXPECT_EQ(network.find("concat"), kConcatLayer);
  EXPECT_EQ(network.find("conca"), -1);
  EXPECT_EQ(to_string(network.input_shape()), "40x32x1");
}

TEST(Network, NamesKinds) {
  EXPECT_EQ(kind(Input{}), "input");
  EXPECT_EQ(kind(Conv2d{}), "conv2d");
  EXPECT_EQ(kind(BinaryConv2d{}), "binary_conv2d");
  EXPECT_EQ(kind(BatchNorm{}), "batch_norm");
  EXPECT_EQ(kind(Relu{}), "relu");
  EXPECT_EQ(kind(MaxPool{}), "max_pool");
  EXPECT_EQ(kind(AvgPool{}), "avg_pool");
  EXPECT_EQ(kind(Add{}), "add");
  EXPECT_EQ(kind(Concat{}), "concat");
  EXPECT_EQ(kind(Exit{}), "exit");
}

TEST(Network, DenseInputs) {
  EXPECT_EQ(dense_inputs(Exit{.pool = ExitPool::kTime}, {25, 16, 64}), 1024);
  EXPECT_EQ(dense_inputs(Exit{.pool = ExitPool::kGlobal}, {25, 16, 64}), 64);
}

TEST(Builder, KeepsTheFirstErrorAndGoesOn) {
  Builder b({4, 4, 1});
  const int bad = b.add("bad", MaxPool{.kernel = {5, 5}, .padding = Padding::kValid}, {b.input()});
  const int next = b.add("next", Conv2d{.out_channels = -1}, {bad});
  EXPECT_EQ(next, bad + 1);
  ASSERT_FALSE(b.status().ok());
  EXPECT_NE(b.status().error().message.find("layer bad: input 4x4x1"), std::string::npos)
      << b.status().error().message;
}

TEST(Builder, RefusesANameTwice) {
  Builder b({4, 4, 1});
  b.add("relu", Relu{}, {b.input()});
  b.add("relu", Relu{}, {b.input()});
  EXPECT_FALSE(b.status().ok());
}

TEST(WithTime, ChangesOnlyTheTime) {
  const Network network = small();
  for (int frames = 1; frames <= 300; ++frames) {
    const Expected<Network> other = network.with_time(frames);
    ASSERT_TRUE(other.ok()) << other.error().message;
    ASSERT_EQ(other->layers().size(), network.layers().size());
    EXPECT_EQ(other->input_shape().time, frames);
    for (int i = 0; i < static_cast<int>(network.layers().size()); ++i) {
      EXPECT_EQ(other->layer(i).name, network.layer(i).name);
      EXPECT_EQ(other->layer(i).op, network.layer(i).op);
      EXPECT_EQ(other->layer(i).inputs, network.layer(i).inputs);
      EXPECT_EQ(other->shape_of(i).frequency, network.shape_of(i).frequency);
      EXPECT_EQ(other->shape_of(i).channels, network.shape_of(i).channels);
    }
    EXPECT_EQ(other->with_time(network.input_shape().time)->layers(), network.layers());
    EXPECT_EQ(count(*other).parameters(), count(network).parameters());
  }
}

TEST(WithTime, RefusesWhatDoesNotFit) {
  const Network network = small();
  EXPECT_FALSE(network.with_time(0).ok());
  EXPECT_FALSE(network.with_time(-3).ok());
  EXPECT_FALSE(network.with_time(kMaxTime + 1).ok());
  // QuickNet's unpadded pools need some rows.
  const Network quicknet = build({.architecture = "quicknet", .classes = 12}).value();
  EXPECT_FALSE(quicknet.with_time(4).ok());
  EXPECT_TRUE(quicknet.with_time(98).ok());
}

TEST(CutAtExit, DropsWhatThatExitDoesNotNeed) {
  const Network network = small();
  EXPECT_EQ(names_of(*network.cut_at_exit(1)), (std::vector<std::string>{"input", "conv", "norm", "exit1"}));
  EXPECT_EQ(names_of(*network.cut_at_exit(2)),
            (std::vector<std::string>{"input", "conv", "norm", "binary", "concat", "side", "exit2"}));
  EXPECT_EQ(names_of(*network.cut_at_exit(3)),
            (std::vector<std::string>{"input", "conv", "norm", "binary", "concat", "pool", "grouped", "add",
                                      "relu", "exit3"}));
}

TEST(CutAtExit, KeepsEveryLayerAsItWas) {
  for (const Architecture& architecture : architectures()) {
    for (const Placement& placement : architecture.placements("")) {
      const Network network = build({.architecture = std::string(architecture.name),
                                     .classes = 7,
                                     .placement = std::string(placement.name)})
                                  .value();
      const Counts counts = count(network);
      for (int exit = 1; exit <= network.exit_count(); ++exit) {
        const Network cut = network.cut_at_exit(exit).value();
        ASSERT_EQ(cut.exit_count(), 1);
        for (const Layer& layer : cut.layers()) {
          const Layer& original = network.layer(network.find(layer.name));
          EXPECT_EQ(layer.op, original.op);
          EXPECT_EQ(layer.output, original.output);
          ASSERT_EQ(layer.inputs.size(), original.inputs.size());
          for (std::size_t i = 0; i < layer.inputs.size(); ++i)
            EXPECT_EQ(cut.layer(layer.inputs[i]).name, network.layer(original.inputs[i]).name);
        }
        const ExitCounts& whole = counts.exits[static_cast<std::size_t>(exit) - 1];
        const ExitCounts alone = count(cut).exits.front();
        EXPECT_EQ(alone.layer, whole.layer);
        EXPECT_EQ(alone.cumulative.binary, whole.cumulative.binary);
        EXPECT_EQ(alone.cumulative.floating, whole.cumulative.floating);
        EXPECT_EQ(alone.macs_exit, whole.macs_exit);
        EXPECT_EQ(alone.share, 1.0);
        EXPECT_EQ(cut.cut_at_exit(1)->layers(), cut.layers());
      }
    }
  }
}

TEST(CutAtExit, RefusesAnExitThatIsNotThere) {
  const Network network = small();
  EXPECT_FALSE(network.cut_at_exit(0).ok());
  EXPECT_FALSE(network.cut_at_exit(4).ok());
  EXPECT_FALSE(network.cut_at_exit(-1).ok());
}

}  // namespace
}  // namespace bittern::graph
