// Cutting a list of layers down to what some of its exits need.
#pragma once

#include <span>
#include <vector>

#include "graph/network.h"

namespace bittern::graph {

// For each layer, whether one of `roots` needs it (a root needs itself). Layers read only earlier ones.
std::vector<bool> needed_by(const std::vector<Layer>& layers, std::span<const int> roots);

// The layers that `roots` need, in their order, with `inputs` renumbered.
std::vector<Layer> prune(const std::vector<Layer>& layers, std::span<const int> roots);

}  // namespace bittern::graph
