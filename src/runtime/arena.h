// One piece of memory for every tensor of a plan.
#pragma once

#include <cstddef>
#include <span>

#include "core/status.h"
#include "runtime/plan.h"

namespace bittern::runtime {

inline constexpr std::size_t kMaxArenaBytes = std::size_t{1} << 30U;

// Gives every used buffer an offset such that no two that live at the same time overlap, largest buffer
// first, each at the lowest place that is free over its lifetime. Returns the bytes needed; kInvalidArgument
// above kMaxArenaBytes.
Expected<std::size_t> assign_offsets(std::span<Buffer> buffers);

}  // namespace bittern::runtime
