// Where exits stand in a network of a stem and four sections of blocks, "s<section>.b<block>".
#pragma once

#include <array>
#include <string>
#include <vector>

#include "graph/architecture.h"

namespace bittern::graph {

inline std::string block_name(int section, int block) {
  return "s" + std::to_string(section) + ".b" + std::to_string(block);
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
