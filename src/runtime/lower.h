// Model -> Plan.
#pragma once

#include <cstddef>

#include "core/status.h"
#include "model/model.h"
#include "runtime/plan.h"
#include "runtime/stream.h"

namespace bittern::runtime {

struct LowerOptions {
  bool stream = true;  // false: every intermediate whole in memory; the same bits, for comparison
  std::size_t tile_bytes = kTileBytes;
};

// Lowers `model`, which must be valid (model::validate), for `frames` frames. The plan points into the
// model's tensors. Errors: frames out of the network's limits, too small for a window, or too much memory.
Expected<Plan> lower(const model::Model& model, int frames, const LowerOptions& options = {});

}  // namespace bittern::runtime
