// The paper's tables and figures from what an experiment found, with the paper's own numbers beside them.
#pragma once

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "report/page.h"

namespace bittern::report {

// The bytes of a test recording and their media type, for the clips that can be heard; empty: not to be had.
using Recording =
    std::function<std::pair<std::string, std::string>(const std::string& task, const std::string& file)>;

// results: as reproduce/results.h describes them.
Page reproduction_page(const nlohmann::ordered_json& results, const Recording& recording);

}  // namespace bittern::report
