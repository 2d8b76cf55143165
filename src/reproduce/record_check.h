// Whether what a results.json holds is as results.h describes it. The file may come from anywhere.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/status.h"
#include "reproduce/experiment.h"

namespace bittern::reproduce {

// One of "tasks". `where` stands in front of every complaint.
Status check_task(const nlohmann::ordered_json& task, const std::string& where);

// One of "runs", which is `run`; labels: of its task. Clips' files must lie below the task's folder.
Status check_result(const nlohmann::ordered_json& result, const Experiment& experiment, const Run& run,
                    const std::vector<std::string>& labels, const std::string& where);

}  // namespace bittern::reproduce
