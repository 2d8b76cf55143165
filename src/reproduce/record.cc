#include "reproduce/record.h"

#include <fmt/format.h>

#include <map>
#include <set>
#include <system_error>
#include <utility>
#include <vector>

#include "json/text.h"
#include "reproduce/difference.h"
#include "reproduce/record_check.h"

namespace bittern::reproduce {
namespace {

using json::Json;
using Labels = std::map<std::string, std::vector<std::string>>;  // by task

Error wrong(const std::string& where, const std::string& what) {
  return corrupt(fmt::format("{}: {}", where, what));
}

// As Experiment::name() names it.
Expected<std::string> name_of(const Json& result, const std::string& where) {
  if (!result["task"].is_string() || !result["architecture"].is_string() ||
      !result["single_exit"].is_number_unsigned() || !result["seed"].is_number_unsigned())
    return wrong(where, "a run's 'task', 'architecture', 'single_exit' or 'seed' is something else");
  return run_name(result["task"].get<std::string>(), result["architecture"].get<std::string>(),
                  result["single_exit"].get<std::uint64_t>(), result["seed"].get<std::uint64_t>());
}

Expected<Labels> read_tasks(const Json& tasks, const std::string& where) {
  Labels labels;
  for (const Json& task : tasks) {
    BITTERN_RETURN_IF_ERROR(check_task(task, fmt::format("{}, tasks[{}]", where, labels.size())));
    const auto name = task["name"].get<std::string>();
    if (!labels.emplace(name, task["labels"].get<std::vector<std::string>>()).second)
      return wrong(where, fmt::format("the task '{}' is there twice", name));
  }
  return labels;
}

Expected<Record> read(const Json& json, const Experiment& experiment, const std::string& where) {
  for (const auto& [key, right] : {std::pair{"conditions", json.contains("conditions")},
                                   std::pair{"tasks", json.value("tasks", Json()).is_array()},
                                   std::pair{"runs", json.value("runs", Json()).is_array()}})
    if (!right) return wrong(where, fmt::format("'{}' is missing or something else", key));
  Record record;
  record.differs = difference(json["conditions"], conditions(experiment));
  if (json.contains("recipe")) record.recipe = json["recipe"];
  record.tasks = json["tasks"];
  BITTERN_ASSIGN_OR_RETURN(const Labels labels, read_tasks(record.tasks, where));
  std::map<std::string, Run> planned;
  for (const Run& run : experiment.runs()) planned.emplace(experiment.name(run), run);
  for (const Json& result : json["runs"]) {
    if (!result.is_object()) return wrong(where, "'runs' holds what is no run");
    for (const char* key : {"task", "architecture", "single_exit", "seed"})
      if (!result.contains(key)) return wrong(where, fmt::format("a run has no '{}'", key));
    BITTERN_ASSIGN_OR_RETURN(std::string name, name_of(result, where));
    const auto found = planned.find(name);
    if (found == planned.end()) {
      record.others.push_back(std::move(name));
      continue;
    }
    const Run& run = found->second;
    const auto of_task = labels.find(experiment.tasks[run.task].name);
    if (of_task == labels.end()) return wrong(where, name + " is of a task that is not told of");
    // Other conditions may be other thresholds: none of it will be shown.
    if (record.differs.empty()) {
      BITTERN_RETURN_IF_ERROR(
          check_result(result, experiment, run, of_task->second, fmt::format("{}, {}", where, name)));
    }
    record.runs.emplace(std::move(name), result);
  }
  return record;
}

}  // namespace

Json conditions(const Experiment& experiment) {
  return {{"train", experiment.source.value("train", Json::object())},
          {"thresholds", experiment.source.value("thresholds", Json::array())}};
}

Expected<Record> read_record(const std::filesystem::path& results, const Experiment& experiment) {
  std::error_code ignored;
  if (!std::filesystem::exists(results, ignored)) return Record();
  const auto refused = [&](const Error& error) {
    return corrupt(fmt::format("{}; it is no results.json of bittern reproduce: move it away to measure anew",
                               error.message));
  };
  const Expected<Json> json = json::read_file(results);
  if (!json.ok()) return refused(json.error());
  if (!json->is_object()) return refused(wrong(results.string(), "is no object"));
  Expected<Record> record = read(*json, experiment, results.string());
  if (!record.ok()) return refused(record.error());
  return record;
}

}  // namespace bittern::reproduce
