// What was run, and in what that differs from the paper's way: in words, from what the results tell.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bittern::report {

// results: as reproduce/results.h describes them.
std::vector<std::string> what_was_run(const nlohmann::ordered_json& results);
std::vector<std::string> what_differs(const nlohmann::ordered_json& results);

}  // namespace bittern::report
