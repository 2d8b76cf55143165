// A model lowered for its window, as a session runs it: steps, memory, work, as JSON and as text.
#pragma once

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "core/status.h"
#include "model/model.h"
#include "runtime/plan.h"

namespace bittern::cli {

struct PlanReport {
  runtime::Plan plan;
  std::vector<double> shares;  // [plan.step_count], of the time of all steps, measured here and now
};

Expected<PlanReport> make_plan_report(const std::shared_ptr<const model::Model>& model);

nlohmann::ordered_json plan_json(const PlanReport& report);
std::string plan_text(const PlanReport& report);

}  // namespace bittern::cli
