// Figures 2 to 5 of a task.
#pragma once

#include "report/page.h"
#include "report/reproduction_data.h"

namespace bittern::report {

void add_figures(const ReproductionData& data, const nlohmann::ordered_json& task, Page& page);

}  // namespace bittern::report
