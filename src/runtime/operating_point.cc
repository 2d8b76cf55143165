#include "runtime/operating_point.h"

#include <string>

namespace bittern::runtime {

Expected<exits::Policy> operating_point(const model::Model& model, std::string_view name) {
  std::string known;
  for (const model::OperatingPoint& point : model.operating_points) {
    if (point.name == name) return exits::Policy::with_thresholds(point.rule, point.thresholds);
    known += (known.empty() ? "" : ", ") + point.name;
  }
  return not_found("the model has no operating point '" + std::string(name) +
                   "'; it has: " + (known.empty() ? "none" : known));
}

}  // namespace bittern::runtime
