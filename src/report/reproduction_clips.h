// The clips that a network finds hardest, to be listened to.
#pragma once

#include "report/page.h"
#include "report/reproduction_data.h"
#include "report/reproduction_page.h"

namespace bittern::report {

void add_difficulty(const ReproductionData& data, const nlohmann::ordered_json& task,
                    const Recording& recording, Page& page);

}  // namespace bittern::report
