// BinaryDenseNet 28 (Larq Zoo, larq_zoo/literature/densenet.py; Bethge et al. 2019, "Back to Simplicity").
//
// Every block appends 64 channels to all that came before:
//   concat[x, bconv3x3(BN(x))]
#include <array>

#include "graph/architectures/list.h"
#include "graph/architectures/parts.h"

namespace bittern::graph {
namespace {

constexpr int kStemFilters = 64;
constexpr int kGrowth = 64;
constexpr std::array<int, 4> kBlocks{6, 6, 6, 5};
// Channels that a transition leaves: round(channels // reduction / 32) x 32 with reductions 2.7, 2.7 and 2.2
// of 448, 544 and 576.
constexpr std::array<int, 3> kTransitions{160, 192, 256};
// Inputs of fewer rows are not reduced by the stem.
constexpr int kMinReducedInput = 50;

constexpr float kClip = 1.3F;
constexpr BatchNorm kNorm{.epsilon = 1e-5F, .momentum = 0.9F};

int stem(Builder& builder) {
  if (builder.shape(builder.input()).time < kMinReducedInput) {
    return builder.add(
        "stem", Conv2d{.kernel = {3, 3}, .out_channels = kStemFilters, .initializer = Initializer::kHeNormal},
        {builder.input()});
  }
  int x = builder.add("stem.conv",
                      Conv2d{.kernel = {7, 7},
                             .stride = {2, 2},
                             .out_channels = kStemFilters,
                             .initializer = Initializer::kHeNormal},
                      {builder.input()});
  x = builder.add("stem.bn", kNorm, {x});
  x = builder.add("stem.relu", Relu{}, {x});
  return builder.add("stem", MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, {x});
}

int transition(Builder& builder, const std::string& name, int x, int filters) {
  x = builder.add(name + ".bn", kNorm, {x});
  x = builder.add(name + ".pool", MaxPool{.padding = Padding::kValid}, {x});
  x = builder.add(name + ".relu", Relu{}, {x});
  return builder.add(name, Conv2d{.out_channels = filters, .initializer = Initializer::kHeNormal}, {x});
}

int block(Builder& builder, const std::string& name, int x) {
  int y = builder.add(name + ".bn", kNorm, {x});
  y = builder.add(name + ".conv",
                  BinaryConv2d{.out_channels = kGrowth, .input_clip = kClip, .kernel_clip = kClip}, {y});
  return builder.add(name, Concat{}, {x, y});
}

int backbone(Builder& builder, std::string_view) {
  return add_sections(builder, stem(builder), kBlocks, kTransitions, transition, block);
}

void head(Builder& builder, int features, int classes) {
  add_float_head(builder, builder.add("head.bn", kNorm, {features}), classes, true, Initializer::kHeNormal);
}

}  // namespace

constinit const Architecture kBinaryDenseNet28{
    "binarydensenet-28", "BinaryDenseNet 28: dense network, every block appends 64 channels", backbone, head,
    [](std::string_view) {
      return section_placements(kBlocks, {"s1.b2", "s1.b4", "s1.b6", "s2.b4", "s4.b5"});
    }};

}  // namespace bittern::graph
