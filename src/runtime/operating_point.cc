#include "runtime/operating_point.h"

#include <string>

namespace bittern::runtime {

Expected<exits::Policy> operating_point(const model::Model& model, std::string_view name) {
  std::string known;
  for (const model::OperatingPoint& point : model.operating_points) {
    if (point.name == name) {
      Expected<exits::Policy> policy = exits::Policy::with_thresholds(point.rule, point.thresholds);
      if (policy.ok()) return policy;
      // The model is to blame, not who asks: a later version's rule, or a damaged threshold.
      return Error{
          policy.error().code == ErrorCode::kNotFound ? ErrorCode::kUnsupported : ErrorCode::kCorrupt,
          "the model's operating point '" + point.name + "': " + policy.error().message};
    }
    known += (known.empty() ? "" : ", ") + point.name;
  }
  return not_found("the model has no operating point '" + std::string(name) +
                   "'; it has: " + (known.empty() ? "none" : known));
}

}  // namespace bittern::runtime
