// MeliusNet 22 (Larq Zoo, larq_zoo/literature/meliusnet.py; Bethge et al. 2020, "MeliusNet").
//
// Every block appends 64 channels and then improves just those:
//   x = concat[x, bconv3x3(BN(x))];  last 64 channels of x += bconv3x3(BN(x))
#include <array>

#include "graph/architectures/list.h"
#include "graph/architectures/parts.h"

namespace bittern::graph {
namespace {

constexpr int kGrowth = 64;
constexpr std::array<int, 4> kBlocks{4, 5, 4, 4};
constexpr std::array<int, 3> kTransitions{160, 224, 256};

constexpr float kClip = 1.3F;
constexpr BatchNorm kNorm{.epsilon = 1e-5F, .momentum = 0.9F};

int stem(Builder& builder) {
  int x = builder.input();
  const auto convolution = [&](const std::string& number, int filters, int groups, int stride) {
    x = builder.add(
        "stem.conv" + number,
        Conv2d{.kernel = {3, 3}, .stride = {stride, stride}, .out_channels = filters, .groups = groups}, {x});
    x = builder.add("stem.bn" + number, kNorm, {x});
    x = builder.add("stem.relu" + number, Relu{}, {x});
  };
  convolution("1", 32, 1, 2);
  convolution("2", 32, 4, 1);
  convolution("3", 64, 8, 1);
  return builder.add("stem", MaxPool{}, {x});
}

int transition(Builder& builder, const std::string& name, int x, int filters) {
  x = builder.add(name + ".bn", kNorm, {x});
  x = builder.add(name + ".pool", MaxPool{}, {x});
  x = builder.add(name + ".relu", Relu{}, {x});
  return builder.add(name, Conv2d{.out_channels = filters}, {x});
}

// 64 channels made from all of x.
int growth(Builder& builder, const std::string& name, int x) {
  x = builder.add(name + ".bn", kNorm, {x});
  return builder.add(name + ".conv",
                     BinaryConv2d{.out_channels = kGrowth, .input_clip = kClip, .kernel_clip = kClip}, {x});
}

int block(Builder& builder, const std::string& name, int x) {
  const int dense = builder.add(name + ".dense", Concat{}, {x, growth(builder, name + ".dense", x)});
  return builder.add(name, Add{}, {dense, growth(builder, name + ".improve", dense)});
}

int backbone(Builder& builder, std::string_view) {
  return add_sections(builder, stem(builder), kBlocks, kTransitions, transition, block);
}

void head(Builder& builder, int features, int classes) {
  add_float_head(builder, builder.add("head.bn", kNorm, {features}), classes, true,
                 Initializer::kGlorotNormal);
}

}  // namespace

constinit const Architecture kMeliusNet22{
    "meliusnet-22", "MeliusNet 22: dense network, every block appends 64 channels and improves them",
    backbone, head, [](std::string_view) {
      return section_placements(kBlocks, {"s1.b1", "s1.b3", "s2.b1", "s2.b4", "s4.b4"});
    }};

}  // namespace bittern::graph
