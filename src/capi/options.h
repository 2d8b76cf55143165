// bittern_options, checked and turned into what the runtime takes.
#pragma once

#include <cstdint>
#include <vector>

#include "bittern/bittern.h"
#include "core/status.h"
#include "exits/rule.h"
#include "model/model.h"
#include "runtime/session.h"

namespace bittern::capi {

struct Options {
  exits::Policy policy;
  runtime::SessionOptions session;
  std::vector<std::uint8_t> only;
};

Expected<runtime::Segment> segment_of(int segment);

// Of a clip of the caller's.
Status check_samples(const float* samples, std::size_t count);

// Reads no more than options->struct_size bytes of the caller's; NULL: the defaults.
Expected<Options> read_options(const bittern_options* options, const model::Model& model);

}  // namespace bittern::capi
