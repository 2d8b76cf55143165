#include "capi/options.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "runtime/operating_point.h"

namespace bittern::capi {
namespace {

Expected<exits::Policy> policy_of(const bittern_options& options, const model::Model& model) {
  const int exits = model.network.exit_count();
  if (options.operating_point != nullptr) return runtime::operating_point(model, options.operating_point);
  if (options.rule == nullptr)
    return options.exit == 0 ? exits::Policy{} : exits::Policy::at_exit(options.exit, exits);
  if (options.thresholds != nullptr)
    return exits::Policy::with_thresholds(options.rule,
                                          {options.thresholds, static_cast<std::size_t>(exits)});
  return exits::Policy::with_threshold(options.rule, options.threshold);
}

}  // namespace

Expected<runtime::Segment> segment_of(int segment) {
  switch (segment) {
    case BITTERN_WHOLE:
      return runtime::Segment::kWhole;
    case BITTERN_CENTRE:
      return runtime::Segment::kCentre;
    case BITTERN_LOUDEST:
      return runtime::Segment::kLoudest;
  }
  return invalid_argument("unknown segment " + std::to_string(segment));
}

Status check_samples(const float* samples, std::size_t count) {
  if (samples == nullptr && count != 0) return invalid_argument("samples is NULL");
  if (count > SIZE_MAX / 2 / sizeof(float))
    return invalid_argument("count is " + std::to_string(count) + ", more samples than memory can hold");
  return {};
}

Expected<Options> read_options(const bittern_options* given, const model::Model& model) {
  // A caller compiled with an older header has a shorter struct: what it lacks keeps its default. One
  // compiled with a newer header may ask for what this library does not know.
  bittern_options options = BITTERN_OPTIONS_INIT;
  if (given != nullptr) {
    if (given->struct_size < sizeof(std::size_t))
      return invalid_argument("bittern_options: struct_size is not set; start from BITTERN_OPTIONS_INIT");
    if (given->struct_size > sizeof(options))
      return unsupported("bittern_options: made for a newer version of this library than " BITTERN_VERSION);
    std::memcpy(&options, given, given->struct_size);
  }
  Options result;
  BITTERN_ASSIGN_OR_RETURN(result.policy, policy_of(options, model));
  BITTERN_ASSIGN_OR_RETURN(result.session.segment, segment_of(options.segment));
  if (options.memory != nullptr && options.memory_size == 0)
    return invalid_argument("bittern_options: memory is given, but memory_size is 0");
  if (options.memory != nullptr)
    result.session.arena = {static_cast<std::byte*>(options.memory), options.memory_size};
  if (options.only != nullptr) {
    result.only.assign(options.only, options.only + model.labels.size());
    if (std::any_of(result.only.begin(), result.only.end(), [](std::uint8_t x) { return x > 1; }))
      return invalid_argument("bittern_options: only holds something else than 0 and 1");
    if (std::all_of(result.only.begin(), result.only.end(), [](std::uint8_t x) { return x == 0; }))
      return invalid_argument("bittern_options: only allows no label");
  }
  return result;
}

}  // namespace bittern::capi
