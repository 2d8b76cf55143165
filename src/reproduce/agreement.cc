#include "reproduce/agreement.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "json/text.h"
#include "model/file.h"
#include "reproduce/difference.h"

namespace bittern::reproduce {
namespace {

namespace fs = std::filesystem;
using json::Json;

constexpr std::string_view kWayOut = "give another --out, or move it away";

Error differs(const fs::path& place, const std::string& what) {
  return invalid_argument(
      fmt::format("{}: was trained with {} as the experiment says; {}", place.string(), what, kWayOut));
}

// The kept clips' names and labels, against those of the test split.
bool has_clips(const datasets::Dataset& dataset, const Json& clips) {
  std::set<std::pair<std::string, std::string>> there;
  for (const datasets::Clip* clip : dataset.of(datasets::Split::kTest))
    there.emplace(datasets::clip_name(*clip, dataset.root),
                  dataset.labels[static_cast<std::size_t>(clip->label)]);
  return std::all_of(clips.begin(), clips.end(), [&](const Json& clip) {
    return there.count({clip.value("file", ""), clip.value("truth", "")}) != 0;
  });
}

bool has_labels(const datasets::Dataset& dataset, const Json& tasks, const std::string& name) {
  for (const Json& task : tasks)
    if (task.value("name", "") == name) return task["labels"] == Json(dataset.labels);
  return false;
}

}  // namespace

bool DataSets::there(std::size_t task) const {
  std::error_code ignored;
  return fs::exists(experiment_.tasks[task].data, ignored);
}

Expected<const datasets::Dataset*> DataSets::of(std::size_t task, std::uint64_t seed) {
  const auto known = scanned_.find({task, seed});
  if (known != scanned_.end()) return &known->second;
  datasets::ScanOptions options = experiment_.scan;
  options.seed = seed;
  BITTERN_ASSIGN_OR_RETURN(datasets::Dataset dataset, datasets::scan(experiment_.tasks[task].data, options));
  return &scanned_.emplace(std::pair(task, seed), std::move(dataset)).first->second;
}

Expected<std::string> DataSets::digest(const Run& run) {
  std::string& digest = digests_[{run.task, run.seed}];
  if (digest.empty()) {
    BITTERN_ASSIGN_OR_RETURN(const datasets::Dataset* const dataset, of(run.task, run.seed));
    digest = dataset->digest();
  }
  return digest;
}

Status check_folder(const Experiment& experiment, const Folder& folder, const Run& run, DataSets& data) {
  const std::string name = experiment.name(run);
  const fs::path recipe = folder.run(name) / "recipe.json";
  const fs::path model = folder.model(name);
  std::error_code ignored;
  Json planned;
  if (experiment.recipe_of) {
    BITTERN_ASSIGN_OR_RETURN(planned, experiment.recipe_of(command_of(experiment, folder, run, "")));
    if (fs::exists(recipe, ignored)) {
      BITTERN_ASSIGN_OR_RETURN(const Json stored, json::read_file(recipe));
      if (const std::string found = difference(stored, planned); !found.empty())
        return differs(folder.run(name), found);
    }
  }
  // A training that has just begun may not have written it; one that is finished is not counted without.
  if (!fs::exists(model, ignored) || (planned.is_null() && !data.there(run.task))) return {};
  BITTERN_ASSIGN_OR_RETURN(const auto opened, model::open(model));
  if (!planned.is_null()) {
    BITTERN_ASSIGN_OR_RETURN(const Json stored, json::parse(opened->provenance.recipe, model.string()));
    if (const std::string found = difference(stored, planned); !found.empty()) return differs(model, found);
  }
  if (!data.there(run.task)) return {};
  BITTERN_ASSIGN_OR_RETURN(const std::string digest, data.digest(run));
  if (opened->provenance.data_digest == digest) return {};
  return invalid_argument(
      fmt::format("{}: was trained on other recordings (digest {}) than {} holds ({}); {}", model.string(),
                  opened->provenance.data_digest, experiment.tasks[run.task].data.string(), digest, kWayOut));
}

Status check_recorded(const Experiment& experiment, const Folder& folder, const Run& run, DataSets& data) {
  if (!data.there(run.task)) return {};
  const std::string name = experiment.name(run);
  const Json& result = folder.record.runs.at(name);
  const auto refused = [&](const std::string& why) {
    return invalid_argument(fmt::format("{}: {} was {} than {} holds; {}", folder.results().string(), name,
                                        why, experiment.tasks[run.task].data.string(), kWayOut));
  };
  if (const std::string stored = result.value("data_digest", ""); !stored.empty()) {
    BITTERN_ASSIGN_OR_RETURN(const std::string digest, data.digest(run));
    return stored == digest ? Status() : refused("trained on other recordings");
  }
  BITTERN_ASSIGN_OR_RETURN(const datasets::Dataset* const dataset, data.of(run.task, run.seed));
  if (has_labels(*dataset, folder.record.tasks, experiment.tasks[run.task].name) &&
      has_clips(*dataset, result.value("clips", Json::array()))) {
    return {};
  }
  return refused("measured on other clips");
}

}  // namespace bittern::reproduce
