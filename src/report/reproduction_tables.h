// Table 1, and table 2 of a task, with the paper's numbers below ours.
#pragma once

#include "report/page.h"
#include "report/reproduction_data.h"

namespace bittern::report {

void add_costs(const ReproductionData& data, Page& page);
void add_accuracies(const ReproductionData& data, const nlohmann::ordered_json& task, Page& page);

}  // namespace bittern::report
