// QuickNet (Larq Zoo, larq_zoo/sota/quicknet.py; Bannink et al. 2021, "Larq Compute Engine").
//
// stem: two strided convolutions, the second depthwise; then sections of residual blocks
//   x + BN(ReLU(bconv3x3(x)))
// with an antialiased pool and a pointwise convolution between them.
#include <array>

#include "graph/architectures/list.h"
#include "graph/architectures/parts.h"

namespace bittern::graph {
namespace {

using Four = std::array<int, 4>;  // one number per section

constexpr Four kFilters{64, 128, 256, 512};
constexpr Four kSmallFilters{32, 64, 256, 512};
constexpr Four kBlocks{4, 4, 4, 4};
constexpr Four kLargeBlocks{6, 8, 12, 6};

constexpr float kClip = 1.25F;
constexpr BatchNorm kStemNorm{.epsilon = 1e-3F, .momentum = 0.99F};
constexpr BatchNorm kNorm{.epsilon = 1e-5F, .momentum = 0.9F};

int transition(Builder& builder, const std::string& name, int x, int filters) {
  x = add_blur_pool(builder, name, x, {2, 2});
  x = builder.add(name + ".conv", Conv2d{.out_channels = filters}, {x});
  return builder.add(name, kNorm, {x});
}

int block(Builder& builder, const std::string& name, int x) {
  int y = builder.add(name + ".conv",
                      BinaryConv2d{.pad_value = BinaryPadding::kOne,
                                   .out_channels = builder.shape(x).channels,
                                   .input_clip = kClip,
                                   .kernel_clip = kClip},
                      {x});
  y = builder.add(name + ".relu", Relu{}, {y});
  y = builder.add(name + ".bn", kNorm, {y});
  return builder.add(name, Add{}, {x, y});
}

int backbone(Builder& builder, const Four& filters, const Four& blocks) {
  const int stem = add_quicknet_stem(builder, filters[0] / 4, filters[0], kStemNorm);
  return add_sections(builder, stem, blocks, std::span(filters).last<3>(), transition, block);
}

void head(Builder& builder, int features, int classes) {
  add_float_head(builder, features, classes, true, Initializer::kGlorotNormal);
}

}  // namespace

constinit const Architecture kQuickNet{
    "quicknet", "QuickNet: fast residual network, sections of 64 to 512 channels with 4 blocks each",
    [](Builder& builder, std::string_view) { return backbone(builder, kFilters, kBlocks); }, head,
    [](std::string_view) { return section_placements(kBlocks); }};

constinit const Architecture kQuickNetSmall{
    "quicknet-small", "QuickNetSmall: QuickNet with 32 and 64 channels in its first two sections",
    [](Builder& builder, std::string_view) { return backbone(builder, kSmallFilters, kBlocks); }, head,
    [](std::string_view) { return section_placements(kBlocks); }};

constinit const Architecture kQuickNetLarge{
    "quicknet-large", "QuickNetLarge: QuickNet with 6, 8, 12 and 6 blocks in its sections",
    [](Builder& builder, std::string_view) { return backbone(builder, kFilters, kLargeBlocks); }, head,
    [](std::string_view) { return section_placements(kLargeBlocks); }};

}  // namespace bittern::graph
