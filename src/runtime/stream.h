// Row streaming: which steps run as one group, how many rows they make at a time, how many rows a ring keeps.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "runtime/plan.h"

namespace bittern::runtime {

// Longer chains are cut: bounds the work of planning, whatever a file says.
inline constexpr std::size_t kMaxGroupSteps = 16;

// What the rings of one group may take together before fewer rows are made at a time: a first-level cache.
inline constexpr std::size_t kTileBytes = std::size_t{32} << 10U;

// Nor more than this share of the largest tensor that is whole: beside small tensors, rings would take the
// memory that they save.
inline constexpr std::size_t kRingShare = 4;

// How many rows of each step's output must be kept when the last step makes `tile` rows at a time; the last
// step's are all of its rows. Found by going through the run.
std::vector<int> rows_to_keep(std::span<const Step> steps, int tile);

// Chooses the group's tile, the largest whose rings fit `tile_bytes` but at least 1, and sets the rows of the
// buffers between its steps.
void choose_tile(Group& group, std::span<Buffer> buffers, std::size_t tile_bytes);

}  // namespace bittern::runtime
