// Network::create refuses every broken list, each with a line that says why.
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <random>
#include <string>

#include "graph/counts.h"
#include "graph/network.h"
#include "graph/small_network.h"

namespace bittern::graph {
namespace {

using Layers = std::vector<Layer>;

template <class T>
T& op(Layers& layers, int index) {
  return std::get<T>(layers[static_cast<std::size_t>(index)].op);
}

struct Broken {
  std::string name;
  std::function<void(Layers&)> breaks;
  std::string message;  // a part of it
};

// GoogleTest's name. NOLINTNEXTLINE(readability-identifier-naming)
void PrintTo(const Broken& broken, std::ostream* out) { *out << broken.name; }

class CreateRefuses : public testing::TestWithParam<Broken> {};

TEST_P(CreateRefuses, WithAReason) {
  Layers layers = small_layers();
  ASSERT_TRUE(Network::create("small", layers).ok());
  GetParam().breaks(layers);
  const Expected<Network> network = Network::create("small", layers);
  ASSERT_FALSE(network.ok());
  EXPECT_NE(network.error().message.find(GetParam().message), std::string::npos) << network.error().message;
  EXPECT_EQ(network.error().message.find('\n'), std::string::npos);
}

const Broken kStructure[] = {
    {"Empty", [](Layers& l) { l.clear(); }, "1 to 1024 layers"},
    {"TooManyLayers",
     [](Layers& l) {
       while (l.size() <= kMaxLayers) l.push_back(l.back());
     },
     "1 to 1024 layers"},
    {"NoInput", [](Layers& l) { l[0].op = Relu{}; }, "first layer must be its input"},
    {"InputReads", [](Layers& l) { l[0].inputs = {0}; }, "first layer must be its input"},
    {"SecondInput", [](Layers& l) { l[kReluLayer].op = Input{}; }, "can only be the first"},
    {"NoName", [](Layers& l) { l[kReluLayer].name.clear(); }, "no name"},
    {"LongName", [](Layers& l) { l[kReluLayer].name.assign(129, 'a'); }, "longer than 128"},
    {"Comma", [](Layers& l) { l[kReluLayer].name = "a,b"; }, "comma"},
    {"Escape", [](Layers& l) { l[kReluLayer].name = "\x1B[2J"; }, "invisible"},
    {"NotAscii", [](Layers& l) { l[kReluLayer].name = "\xC3\xA9"; }, "invisible"},
    {"SameName", [](Layers& l) { l[kReluLayer].name = "conv"; }, "two layers are named conv"},
    {"ReadsItself", [](Layers& l) { l[kReluLayer].inputs = {kReluLayer}; }, "does not stand before it"},
    {"ReadsLater", [](Layers& l) { l[kNormLayer].inputs = {kPoolLayer}; }, "does not stand before it"},
    {"ReadsNegative", [](Layers& l) { l[kNormLayer].inputs = {-1}; }, "does not stand before it"},
    {"ReadsPastEnd", [](Layers& l) { l[kNormLayer].inputs = {1 << 30}; }, "does not stand before it"},
    {"ReadsExit", [](Layers& l) { l[kReluLayer].inputs = {kFirstExit}; }, "reads the exit exit1"},
    {"ReadsNothing", [](Layers& l) { l[kReluLayer].inputs.clear(); }, "must read 1"},
    {"ReadsTwo",
     [](Layers& l) {
       l[kReluLayer].inputs = {1, 2};
     },
     "must read 1"},
    {"ExitReadsTwo",
     [](Layers& l) {
       l[kFirstExit].inputs = {1, 2};
     },
     "must read 1"},
    {"AddReadsOne", [](Layers& l) { l[kAddLayer].inputs = {kPoolLayer}; }, "must read 2"},
    {"ConcatReadsOne", [](Layers& l) { l[kConcatLayer].inputs = {kNormLayer}; }, "2 or more"},
    {"ConcatReadsAll", [](Layers& l) { l[kConcatLayer].inputs.assign(1U << 20U, kNormLayer); }, "too many"},
    {"EndsWithoutExit", [](Layers& l) { l.pop_back(); }, "last layer must be an exit"},
    {"ExitElsewhere", [](Layers& l) { l[kLastExit].inputs = {kAddLayer}; },
     "(exit3): does not stand right behind the layer that it reads"},
    {"ExitOfAnEarlierExitsLayer",
     [](Layers& l) {
       l.push_back(l[kSideExit]);
       l.back().name = "exit4";
     },
     "(exit4): does not stand right behind"},
    {"NeededByNone",
     [](Layers& l) {
       l[kAddLayer].inputs = {kPoolLayer, kPoolLayer};
     },
     "(grouped): is needed by no exit"},
    {"OtherClasses", [](Layers& l) { op<Exit>(l, kLastExit).classes = 6; },
     "has 6 classes, the first exit has 5"},
    {"TooManyExits",
     [](Layers& l) {
       for (int i = 4; i <= kMaxExits + 1; ++i) {
         l.push_back(l[kLastExit]);
         l.back().name = "exit" + std::to_string(i);
       }
     },
     "at most 16 exits, not 17"},
};
INSTANTIATE_TEST_SUITE_P(Structure, CreateRefuses, testing::ValuesIn(kStructure),
                         [](const auto& info) { return info.param.name; });

const Broken kShapes[] = {
    {"InputEmpty", [](Layers& l) { l[0].output.time = 0; }, "time is 0"},
    {"InputNegative", [](Layers& l) { l[0].output.frequency = -1; }, "frequency is -1"},
    {"InputNoChannels", [](Layers& l) { l[0].output.channels = 0; }, "channels is 0"},
    {"InputLong", [](Layers& l) { l[0].output.time = kMaxTime + 1; }, "time is 65537"},
    {"InputWide", [](Layers& l) { l[0].output.frequency = kMaxFrequency + 1; }, "frequency is 1025"},
    {"InputDeep", [](Layers& l) { l[0].output.channels = kMaxChannels + 1; }, "channels is 4097"},
    {"InputHuge",
     [](Layers& l) {
       l[0].output = {kMaxTime, kMaxFrequency, kMaxChannels};
     },
     "268435456 elements"},
    {"TensorHuge",
     [](Layers& l) {
       l[0].output = {kMaxTime, kMaxFrequency, 1};
       op<Conv2d>(l, kConvLayer).out_channels = 17;
     },
     "layer 1 (conv): tensor 32768x512x17"},
    {"TooMuchWork",
     [](Layers& l) {
       l[0].output = {kMaxTime, kMaxFrequency, 1};
       op<Conv2d>(l, kConvLayer).kernel = {31, 31};
     },
     "more than the limit of 100000 million"},
    {"ConcatTooDeep",
     [](Layers& l) {
       op<Conv2d>(l, kConvLayer).out_channels = kMaxChannels;
       l[kConcatLayer].inputs.assign(kMaxLayers, kNormLayer);
     },
     "channels is 4194304"},
    {"ConcatOtherTime",
     [](Layers& l) {
       l[kConcatLayer].inputs = {kInputLayer, kNormLayer};
     },
     "20x16x8 cannot be joined to 40x32x1"},
    {"AddOtherTime",
     [](Layers& l) {
       l[kAddLayer].inputs = {kNormLayer, kGroupedLayer};
     },
     "10x8x4 cannot be added to 20x16x8"},
    {"AddMoreToLess",
     [](Layers& l) {
       l[kAddLayer].inputs = {kGroupedLayer, kPoolLayer};
     },
     "10x8x16 cannot be added to 10x8x4"},
    {"SmallerThanKernel",
     [](Layers& l) {
       op<MaxPool>(l, kPoolLayer) = {.kernel = {21, 2}, .padding = Padding::kValid};
     },
     "20x16x16 is smaller than the kernel 21x2"},
    {"NarrowerThanKernel",
     [](Layers& l) {
       op<AvgPool>(l, kSideLayer) = {.kernel = {2, 17}, .padding = Padding::kValid};
     },
     "20x16x16 is smaller than the kernel 2x17"},
};
INSTANTIATE_TEST_SUITE_P(Shapes, CreateRefuses, testing::ValuesIn(kShapes),
                         [](const auto& info) { return info.param.name; });

Conv2d& int8(Layers& layers) {
  Conv2d& conv = op<Conv2d>(layers, kConvLayer);
  conv.out_channels = 16;
  conv.int8 = Int8Input{};
  return conv;
}

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

template <class T>
T unknown() {
  return static_cast<T>(200);
}

const Broken kAttributes[] = {
    {"NoKernel", [](Layers& l) { op<Conv2d>(l, kConvLayer).kernel.time = 0; }, "size in time is 0"},
    {"WideKernel", [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).kernel.frequency = kMaxKernel + 1; },
     "size in frequency is 32"},
    {"NoStride", [](Layers& l) { op<MaxPool>(l, kPoolLayer).stride.time = 0; }, "stride in time is 0"},
    {"NegativeStride", [](Layers& l) { op<AvgPool>(l, kSideLayer).stride.frequency = -2; },
     "stride in frequency is -2"},
    {"Padding", [](Layers& l) { op<Conv2d>(l, kConvLayer).padding = unknown<Padding>(); }, "padding has"},
    {"NoOutput", [](Layers& l) { op<Conv2d>(l, kConvLayer).out_channels = 0; }, "output channels is 0"},
    {"WideOutput", [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).out_channels = kMaxChannels + 1; },
     "output channels is 4097"},
    {"NoGroups", [](Layers& l) { op<Conv2d>(l, kGroupedLayer).groups = 0; }, "groups is 0"},
    {"GroupsInput", [](Layers& l) { op<Conv2d>(l, kConvLayer).groups = 2; },
     "2 groups do not divide 1 input"},
    {"GroupsOutput", [](Layers& l) { op<Conv2d>(l, kGroupedLayer).groups = 8; }, "8 groups do not divide 16"},
    {"Initializer", [](Layers& l) { op<Conv2d>(l, kConvLayer).initializer = unknown<Initializer>(); },
     "initializer has"},
    {"BlurNotDepthwise", [](Layers& l) { op<Conv2d>(l, kConvLayer).initializer = Initializer::kBlur; },
     "must be 3x3 and depthwise"},
    {"BlurNot3x3",
     [](Layers& l) {
       op<Conv2d>(l, kGroupedLayer) = {
           .kernel = {3, 5}, .out_channels = 16, .groups = 16, .initializer = Initializer::kBlur};
     },
     "must be 3x3 and depthwise"},
    {"Int8Groups",
     [](Layers& l) {
       Conv2d& conv = op<Conv2d>(l, kGroupedLayer);
       conv.out_channels = 16;
       conv.int8 = Int8Input{};
     },
     "has no groups"},
    {"Int8Bias", [](Layers& l) { int8(l).bias = true; }, "no bias"},
    {"Int8Fixed", [](Layers& l) { int8(l).trainable = false; }, "trainable"},
    {"Int8Outputs", [](Layers& l) { int8(l).out_channels = 24; }, "24 output channels"},
    {"Int8WideOutput", [](Layers& l) { int8(l).out_channels = 528; }, "528 output channels"},
    {"Int8Terms",
     [](Layers& l) {
       int8(l).kernel = {27, 19};
     },
     "513 products"},
    {"Int8Window",
     [](Layers& l) {
       l[0].output.frequency = kMaxFrequency;
       int8(l).kernel = {8, 3};
     },
     "window of rows is larger than 8192"},
    {"Int8NoScale", [](Layers& l) { int8(l).int8->scale = 0; }, "input scale"},
    {"Int8LargeScale", [](Layers& l) { int8(l).int8->scale = 1001; }, "input scale"},
    {"Int8Scale", [](Layers& l) { int8(l).int8->scale = kNan; }, "input scale"},
    {"Int8NegativeZero", [](Layers& l) { int8(l).int8->zero = -1; }, "level of zero is -1"},
    {"Int8Zero", [](Layers& l) { int8(l).int8->zero = 256; }, "level of zero is 256"},
    {"PadValue", [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).pad_value = unknown<BinaryPadding>(); },
     "padding value has"},
    {"InputQuantizer",
     [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).input_quantizer = Quantizer::kMagnitudeAwareSign; },
     "input quantizer has"},
    {"KernelQuantizer",
     [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).kernel_quantizer = unknown<Quantizer>(); },
     "kernel quantizer has"},
    {"BinaryInitializer",
     [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).initializer = Initializer::kBlur; },
     "initializer has"},
    {"InputClip", [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).input_clip = 0.0F; },
     "input quantizer's"},
    {"KernelClip", [](Layers& l) { op<BinaryConv2d>(l, kBinaryLayer).kernel_clip = kNan; },
     "kernel quantizer's"},
    {"Epsilon", [](Layers& l) { op<BatchNorm>(l, kNormLayer).epsilon = 0.0F; }, "epsilon"},
    {"EpsilonInfinite", [](Layers& l) { op<BatchNorm>(l, kNormLayer).epsilon = kInfinity; }, "epsilon"},
    {"Momentum", [](Layers& l) { op<BatchNorm>(l, kNormLayer).momentum = 1.5F; }, "momentum"},
    {"ExitNorm", [](Layers& l) { op<Exit>(l, kLastExit).norm = unknown<ExitNorm>(); }, "norm has"},
    {"ExitPool", [](Layers& l) { op<Exit>(l, kLastExit).pool = unknown<ExitPool>(); }, "pool has"},
    {"ExitDense", [](Layers& l) { op<Exit>(l, kLastExit).dense = unknown<ExitDense>(); }, "dense has"},
    {"ExitInitializer", [](Layers& l) { op<Exit>(l, kLastExit).initializer = Initializer::kBlur; },
     "initializer has"},
    {"ExitEpsilon", [](Layers& l) { op<Exit>(l, kLastExit).norm_epsilon = kNan; }, "epsilon"},
    {"ExitMomentum", [](Layers& l) { op<Exit>(l, kLastExit).norm_momentum = -0.1F; }, "momentum"},
    {"OneClass", [](Layers& l) { op<Exit>(l, kLastExit).classes = 1; }, "classes is 1"},
    {"ManyClasses", [](Layers& l) { op<Exit>(l, kLastExit).classes = kMaxClasses + 1; }, "classes is 4097"},
};
INSTANTIATE_TEST_SUITE_P(Attributes, CreateRefuses, testing::ValuesIn(kAttributes),
                         [](const auto& info) { return info.param.name; });

TEST(Create, RefusesAnArchitectureWithoutAName) {
  EXPECT_FALSE(Network::create("", small_layers()).ok());
  EXPECT_FALSE(Network::create("a\nb", small_layers()).ok());
}

TEST(Create, TakesSeveralExitsOfOneLayer) {
  Layers layers = small_layers();
  layers.push_back(layers[kLastExit]);
  layers.back().name = "exit4";
  EXPECT_EQ(Network::create("small", layers).value().exit_count(), 4);
}

TEST(Create, IgnoresGivenOutputs) {
  Layers layers = small_layers();
  const Expected<Network> network = Network::create("small", layers);
  ASSERT_TRUE(network.ok());
  for (std::size_t i = 1; i < layers.size(); ++i) layers[i].output = {1000000, -5, 0};
  const Expected<Network> again = Network::create("small", layers);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->layers(), network->layers());
}

// Whatever numbers stand in a list, create() answers, and what it lets through keeps every limit.
TEST(Create, SurvivesRandomDamage) {
  constexpr unsigned kSeed = 20240607;
  std::mt19937 random(kSeed);
  const auto number = [&]() -> int {
    switch (random() % 4) {
      case 0:
        return static_cast<int>(random());
      case 1:
        return static_cast<int>(random() % 5) - 1;
      case 2:
        return static_cast<int>(random() % 64);
      default:
        return static_cast<int>(random() % 5000);
    }
  };
  int accepted = 0;
  for (int round = 0; round < 20000; ++round) {
    Layers layers = small_layers();
    for (unsigned hits = random() % 4; hits > 0; --hits) {
      Layer& layer = layers[random() % layers.size()];
      switch (random() % 4) {
        case 0:
          layers[0].output = {number(), number(), number()};
          break;
        case 1:
          if (!layer.inputs.empty()) layer.inputs[random() % layer.inputs.size()] = number();
          break;
        case 2:
          std::swap(layer.op, layers[random() % layers.size()].op);
          break;
        default:
          if (auto* conv = std::get_if<Conv2d>(&layer.op)) *conv = {{number(), number()}, {number(), 1}};
          if (auto* conv = std::get_if<BinaryConv2d>(&layer.op)) conv->out_channels = number();
          if (auto* pool = std::get_if<MaxPool>(&layer.op)) *pool = {{number(), 2}, {number(), number()}};
          if (auto* exit = std::get_if<Exit>(&layer.op)) exit->classes = number();
      }
    }
    const Expected<Network> network = Network::create("damaged", std::move(layers));
    if (!network) continue;
    ++accepted;
    for (const Layer& layer : network->layers()) {
      ASSERT_GT(layer.output.elements(), 0) << "seed " << kSeed << " round " << round;
      ASSERT_LE(layer.output.elements(), kMaxElements) << "seed " << kSeed << " round " << round;
      ASSERT_LE(layer.output.channels, kMaxChannels) << "seed " << kSeed << " round " << round;
    }
    const Counts counts = count(*network);
    ASSERT_GE(counts.exits.front().cumulative.cost(), 0.0);
    ASSERT_LE(counts.exits.front().share, 1.0);
  }
  EXPECT_GT(accepted, 1000);
  EXPECT_LT(accepted, 19000);
}

}  // namespace
}  // namespace bittern::graph
