// What the architectures share: a stem and four sections of blocks, "s<section>.b<block>", where exits stand
// on them, and the published networks' float head.
#pragma once

#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "graph/architecture.h"

namespace bittern::graph {

inline std::string block_name(int section, int block) {
  return "s" + std::to_string(section) + ".b" + std::to_string(block);
}

// Appends the sections behind `stem`; returns the last block. Between two sections stands
// transition(builder, "t<section>", x, channels), `channels` being the next section's.
template <class Transition, class Block>
int add_sections(Builder& builder, int stem, const std::array<int, 4>& blocks,
                 std::span<const int, 3> channels, const Transition& transition, const Block& block) {
  int x = stem;
  for (int section = 1; section <= 4; ++section) {
    const auto i = static_cast<std::size_t>(section) - 1;
    if (section > 1) x = transition(builder, "t" + std::to_string(section), x, channels[i - 1]);
    for (int b = 1; b <= blocks[i]; ++b) x = block(builder, block_name(section, b), x);
  }
  return x;
}

// [ReLU] -> mean over time and frequency -> float dense.
inline void add_float_head(Builder& builder, int features, int classes, bool relu, Initializer initializer) {
  builder.add("exit1",
              Exit{.relu = relu,
                   .norm = ExitNorm::kNone,
                   .pool = ExitPool::kGlobal,
                   .dense = ExitDense::kFloat,
                   .classes = classes,
                   .initializer = initializer},
              {features});
}

// QuickNet's stem: two strided convolutions to `first` channels, the second depthwise, then a pointwise one.
// The middle batch norm has neither scale nor centre.
inline int add_quicknet_stem(Builder& builder, int first, int channels, BatchNorm norm) {
  BatchNorm bare = norm;
  bare.scale = bare.center = false;
  int x = builder.add(
      "stem.conv1",
      Conv2d{
          .kernel = {3, 3}, .stride = {2, 2}, .out_channels = first, .initializer = Initializer::kHeNormal},
      {builder.input()});
  x = builder.add("stem.bn1", norm, {x});
  x = builder.add("stem.relu1", Relu{}, {x});
  x = builder.add("stem.conv2",
                  Conv2d{.kernel = {3, 3},
                         .stride = {2, 2},
                         .out_channels = first,
                         .groups = first,
                         .initializer = Initializer::kGlorotUniform},
                  {x});
  x = builder.add("stem.bn2", bare, {x});
  x = builder.add("stem.conv3", Conv2d{.out_channels = channels, .initializer = Initializer::kHeNormal}, {x});
  return builder.add("stem", norm, {x});
}

// The pool of QuickNet's transitions, ReLU before it: a maximum of 2x2, then a fixed blur with a stride.
inline int add_blur_pool(Builder& builder, const std::string& name, int x, Extent stride) {
  const int channels = builder.shape(x).channels;
  x = builder.add(name + ".relu", Relu{}, {x});
  x = builder.add(name + ".pool", MaxPool{.kernel = {2, 2}, .stride = {1, 1}, .padding = Padding::kValid},
                  {x});
  return builder.add(name + ".blur",
                     Conv2d{.kernel = {3, 3},
                            .stride = stride,
                            .out_channels = channels,
                            .groups = channels,
                            .initializer = Initializer::kBlur,
                            .trainable = false},
                     {x});
}

// Behind the stem and behind each section.
inline Placement stem_placement(const std::array<int, 4>& blocks) {
  return {"stem",
          {"stem", block_name(1, blocks[0]), block_name(2, blocks[1]), block_name(3, blocks[2]),
           block_name(4, blocks[3])}};
}

// Behind each of the first three sections, in the middle of the fourth, and at its end.
inline Placement paper_placement(const std::array<int, 4>& blocks) {
  return {"paper",
          {block_name(1, blocks[0]), block_name(2, blocks[1]), block_name(3, blocks[2]),
           block_name(4, (blocks[3] + 1) / 2), block_name(4, blocks[3])}};
}

// `balanced` lists layers with about even steps of work between them; without a list it is `paper`, whose
// steps are even where the sections cost about the same.
inline std::vector<Placement> section_placements(const std::array<int, 4>& blocks,
                                                 std::vector<std::string> balanced = {}) {
  const Placement paper = paper_placement(blocks);
  if (balanced.empty()) balanced = paper.layers;
  return {stem_placement(blocks), paper, {"balanced", std::move(balanced)}};
}

}  // namespace bittern::graph
