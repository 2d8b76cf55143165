// Bi-Real Net 18 (Larq Zoo, larq_zoo/literature/birealnet.py; Liu et al. 2018, "Bi-Real Net").
//
// A residual network with a shortcut around every binary convolution, no ReLU anywhere:
//   BN(bconv3x3(x)) + x
// The first block of sections 2 to 4 halves the map; its shortcut is BN(conv1x1(avgpool(x))).
#include <array>

#include "graph/architectures/list.h"
#include "graph/architectures/parts.h"

namespace bittern::graph {
namespace {

constexpr std::array<int, 4> kFilters{64, 128, 256, 512};
constexpr std::array<int, 4> kBlocks{4, 4, 4, 4};

constexpr BatchNorm kNorm{.epsilon = 1e-3F, .momentum = 0.8F};

int block(Builder& builder, const std::string& name, int x, int filters, bool halve) {
  int shortcut = x;
  if (halve) {
    shortcut = builder.add(name + ".shortcut.pool", AvgPool{}, {x});
    shortcut = builder.add(name + ".shortcut.conv", Conv2d{.out_channels = filters}, {shortcut});
    shortcut = builder.add(name + ".shortcut.bn", kNorm, {shortcut});
  }
  const int stride = halve ? 2 : 1;
  int y = builder.add(name + ".conv",
                      BinaryConv2d{.stride = {stride, stride},
                                   .out_channels = filters,
                                   .input_quantizer = Quantizer::kApproxSign,
                                   .kernel_quantizer = Quantizer::kMagnitudeAwareSign},
                      {x});
  y = builder.add(name + ".bn", kNorm, {y});
  return builder.add(name, Add{}, {y, shortcut});
}

int backbone(Builder& builder, std::string_view) {
  int x = builder.add("stem.conv", Conv2d{.kernel = {7, 7}, .stride = {2, 2}, .out_channels = kFilters[0]},
                      {builder.input()});
  x = builder.add("stem.bn", kNorm, {x});
  x = builder.add("stem", MaxPool{.kernel = {3, 3}, .stride = {2, 2}}, {x});
  for (int section = 1; section <= 4; ++section) {
    const auto i = static_cast<std::size_t>(section) - 1;
    for (int b = 1; b <= kBlocks[i]; ++b)
      x = block(builder, block_name(section, b), x, kFilters[i], section > 1 && b == 1);
  }
  return x;
}

void head(Builder& builder, int features, int classes) {
  add_float_head(builder, features, classes, false, Initializer::kGlorotUniform);
}

}  // namespace

constinit const Architecture kBiRealNet18{
    "birealnet-18", "Bi-Real Net 18: residual network with a shortcut around every binary convolution",
    backbone, head, [](std::string_view) { return section_placements(kBlocks); }};

}  // namespace bittern::graph
