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
  std::size_t front_end_floats =
      0;  // of working memory that the front end wants before stage 0, 64-byte aligned
  std::size_t window_samples = 0;  // room for a clip with silence around it, before stage 0 too
  const Plan* like = nullptr;      // of the same model: counts of its weights are shared, not made anew
};

// As a session plans: clips with silence around them have the window's length.
LowerOptions with_front_end(const features::LogMelSpec& spec, int frames, std::size_t work_floats);

// Lowers `model`, which must be valid (model::validate), for `frames` frames. The plan points into the
// model's tensors. Errors: frames out of the network's limits, too small for a window, or too much memory.
Expected<Plan> lower(const model::Model& model, int frames, const LowerOptions& options = {});

}  // namespace bittern::runtime
