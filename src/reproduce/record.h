// What an experiment's results.json tells of trainings whose folders are gone: a long experiment goes on from
// it alone, on another machine.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/status.h"
#include "reproduce/experiment.h"

namespace bittern::reproduce {

struct Record {
  nlohmann::ordered_json tasks = nlohmann::ordered_json::array();  // as in results.h
  std::map<std::string, nlohmann::ordered_json> runs;              // by Experiment::name()
  nlohmann::ordered_json recipe;    // that the trainings had in common; null where an older build wrote it
  std::string differs;              // where its conditions are not this experiment's: in what, in words
  std::vector<std::string> others;  // names of runs that this experiment does not plan
};

// What decides a run's results beside network, task and seed: written into them, so that those of another
// experiment are not taken for this one's.
nlohmann::ordered_json conditions(const Experiment& experiment);

// Empty where there is no such file. Of runs that the experiment does not plan only `others` tells; all
// others are as results.h describes them, or there is an error that says which is not.
Expected<Record> read_record(const std::filesystem::path& results, const Experiment& experiment);

}  // namespace bittern::reproduce
