#include "reproduce/record.h"

#include <fmt/format.h>

#include <fstream>
#include <system_error>
#include <utility>
#include <vector>

namespace bittern::reproduce {
namespace {

using Json = nlohmann::ordered_json;

bool is_of(const Json& result, const Experiment& experiment, const Run& run) {
  return result.at("task") == experiment.tasks[run.task].name &&
         result.at("architecture") == experiment.networks[run.network].architecture &&
         result.at("single_exit") == run.single_exit && result.at("seed") == run.seed;
}

}  // namespace

Json conditions(const Experiment& experiment) {
  return {{"train", experiment.source.value("train", Json::object())},
          {"thresholds", experiment.source.value("thresholds", Json::array())}};
}

Expected<Record> read_record(const std::filesystem::path& results, const Experiment& experiment) {
  Record record;
  std::error_code ignored;
  if (!std::filesystem::exists(results, ignored)) return record;
  std::ifstream file(results, std::ios::binary);
  const Json json = Json::parse(file, nullptr, false);
  const auto broken = [&] {
    return corrupt(
        fmt::format("{}: not results of bittern reproduce; move it away to measure anew", results.string()));
  };
  const std::vector<Run> planned = experiment.runs();
  try {
    // Whatever the order of their keys.
    record.fits = nlohmann::json(json.at("conditions")) == nlohmann::json(conditions(experiment));
    for (const Json& result : json.at("runs")) {
      for (const Run& run : planned)
        if (is_of(result, experiment, run)) record.runs.emplace(experiment.name(run), result);
    }
    record.tasks = json.at("tasks");
    for (const Json& task : record.tasks) {
      if (!task.at("name").is_string() || !task.at("labels").is_array()) return broken();
    }
  } catch (const Json::exception&) {
    return broken();
  }
  return record;
}

}  // namespace bittern::reproduce
