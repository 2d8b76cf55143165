// Bittern's own family, networks made for a second of log-mel: each is a design, "STEM-SECTION-SECTION-...",
// such as "i5x8s4x4-64x2n-64x2s2x1bn-128x2bn-128x2bn". docs/networks.md has the grammar; which of its parts
// pay is what experiments/own-network.json measures.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "graph/architecture.h"

namespace bittern::graph {

// The error says where a design cannot be read. The functions below take such only that can.
Status check_design(std::string_view design);

// Appends the network; returns its last block.
int add_design(Builder& builder, std::string_view design);
void add_design_head(Builder& builder, int features, int classes);
// `exits`: where they are but for the placement "stem"; none: behind every section and in the middle of the
// last.
std::vector<Placement> design_placements(std::string_view design, std::span<const char* const> exits);

// A design with a name, and exits in int8. Preset has four constants: name, summary, design and exits, the
// layers that they read.
template <class Preset>
constexpr Architecture design_preset() {
  return {.name = Preset::kName,
          .summary = Preset::kSummary,
          .backbone = [](Builder& builder, std::string_view) { return add_design(builder, Preset::kDesign); },
          .head = add_design_head,
          .placements = [](std::string_view) { return design_placements(Preset::kDesign, Preset::kExits); },
          .exit_dense = ExitDense::kInt8};
}

}  // namespace bittern::graph
