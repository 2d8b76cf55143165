#include "reproduce/record_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>

#include "json/object_reader.h"

namespace bittern::reproduce {
namespace {

using json::Json;
using json::ObjectReader;

Error wrong(const std::string& where, const std::string& what) {
  return corrupt(fmt::format("{}: {}", where, what));
}

Status check_accuracy(const Json& json, const std::string& where, std::size_t& clips) {
  double value = 0, low = 0, high = 0;
  ObjectReader reader(json, where + ", accuracy", ErrorCode::kCorrupt);
  reader.required("value", value);
  reader.required("low", low);
  reader.required("high", high);
  reader.required("clips", clips);
  BITTERN_RETURN_IF_ERROR(reader.finish());
  if (!(0 <= low && low <= value && value <= high && high <= 1))
    return wrong(where, "'accuracy' must be a value from 0 to 1 within its interval");
  return {};
}

Status check_exits(const Json& list, const std::vector<int>& wanted, const std::string& where) {
  if (!list.is_array() || list.size() != wanted.size())
    return wrong(where, fmt::format("'exits' must be a list of {}", wanted.size()));
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    const std::string here = fmt::format("{}, exits[{}]", where, i);
    int exit = 0;
    Json accuracy;
    ObjectReader reader(list[i], here, ErrorCode::kCorrupt);
    reader.required("exit", exit);
    reader.required("accuracy", accuracy);
    BITTERN_RETURN_IF_ERROR(reader.finish());
    if (exit != wanted[i]) return wrong(here, fmt::format("'exit' must be {}", wanted[i]));
    std::size_t clips = 0;
    BITTERN_RETURN_IF_ERROR(check_accuracy(accuracy, here, clips));
  }
  return {};
}

struct Shape {
  std::size_t exits = 0;
  const std::vector<std::string>& labels;
  std::size_t clips = 0;
};

// As many as leave, one after the other; they are counts of a file, which need not be.
bool adds_up(const std::vector<std::uint64_t>& counts, std::uint64_t sum) {
  for (const std::uint64_t count : counts) {
    if (count > sum) return false;
    sum -= count;
  }
  return sum == 0;
}

Status check_rule(const Json& json, float wanted, const Shape& shape, const std::string& where) {
  float threshold = 0;
  double average_exit = 0;
  Json accuracy;
  std::vector<std::uint64_t> histogram;
  std::vector<std::vector<std::uint64_t>> per_class;
  ObjectReader reader(json, where, ErrorCode::kCorrupt);
  reader.required("threshold", threshold);
  reader.required("accuracy", accuracy);
  reader.required("average_exit", average_exit);
  reader.required("histogram", histogram);
  reader.required("histogram_per_class", per_class);
  BITTERN_RETURN_IF_ERROR(reader.finish());
  if (threshold != wanted) return wrong(where, fmt::format("'threshold' must be {}", wanted));
  std::size_t clips = 0;
  BITTERN_RETURN_IF_ERROR(check_accuracy(accuracy, where, clips));
  if (clips != shape.clips)
    return wrong(where, fmt::format("'accuracy' must be of the run's {} clips", shape.clips));
  if (average_exit < 1 || average_exit > static_cast<double>(shape.exits))
    return wrong(where, fmt::format("'average_exit' must be from 1 to {}", shape.exits));
  if (histogram.size() != shape.exits)
    return wrong(where, fmt::format("'histogram' must be a list of {}", shape.exits));
  const auto short_row = [&](const auto& row) { return row.size() != shape.exits; };
  if (per_class.size() != shape.labels.size() || std::any_of(per_class.begin(), per_class.end(), short_row)) {
    return wrong(
        where, fmt::format("'histogram_per_class' must be {} lists of {}", shape.labels.size(), shape.exits));
  }
  if (!adds_up(histogram, clips))
    return wrong(where, fmt::format("'histogram' must be of the run's {} clips", clips));
  double sum = 0;
  for (std::size_t exit = 0; exit < histogram.size(); ++exit) {
    std::vector<std::uint64_t> of_class;
    of_class.reserve(per_class.size());
    for (const auto& row : per_class) of_class.push_back(row[exit]);
    if (!adds_up(of_class, histogram[exit]))
      return wrong(where, "'histogram_per_class' must add up to 'histogram'");
    sum += static_cast<double>(exit + 1) * static_cast<double>(histogram[exit]);
  }
  if (clips > 0 && !(std::abs(average_exit - sum / static_cast<double>(clips)) < 1e-6))
    return wrong(where, "'average_exit' must be the mean of 'histogram'");
  return {};
}

bool lies_below(const std::string& file) {
  const std::filesystem::path path(file);
  return !file.empty() && !path.has_root_path() &&
         std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".."; });
}

Status check_clip(const Json& json, const Shape& shape, const std::string& where) {
  std::string file, truth;
  std::vector<std::string> answers;
  std::vector<double> entropies;
  ObjectReader reader(json, where, ErrorCode::kCorrupt);
  reader.required("file", file);
  reader.required("truth", truth);
  reader.required("answers", answers);
  reader.required("entropies", entropies);
  BITTERN_RETURN_IF_ERROR(reader.finish());
  if (!lies_below(file)) return wrong(where, "'file' must lie below the task's folder");
  if (answers.size() != shape.exits || entropies.size() != shape.exits)
    return wrong(where, fmt::format("'answers' and 'entropies' must be lists of {}", shape.exits));
  answers.push_back(truth);
  for (const std::string& label : answers)
    if (std::find(shape.labels.begin(), shape.labels.end(), label) == shape.labels.end())
      return wrong(where, fmt::format("'{}' is none of the task's labels", label));
  return {};
}

}  // namespace

Status check_task(const Json& task, const std::string& where) {
  std::string name, paper;
  std::vector<std::string> labels;
  std::size_t clips = 0, speakers = 0, train_clips = 0, validation_clips = 0;
  ObjectReader reader(task, where, ErrorCode::kCorrupt);
  reader.required("name", name);
  reader.required("paper", paper);
  reader.required("labels", labels);
  reader.required("clips", clips);
  reader.required("speakers", speakers);
  reader.optional("train_clips", train_clips);
  reader.optional("validation_clips", validation_clips);
  BITTERN_RETURN_IF_ERROR(reader.finish());
  return labels.size() < 2 ? Status(wrong(where, "'labels' must be two or more")) : Status();
}

Status check_result(const Json& result, const Experiment& experiment, const Run& run,
                    const std::vector<std::string>& labels, const std::string& where) {
  std::string task, architecture, told;
  int single_exit = 0;
  std::uint64_t seed = 0;
  Json exits, rules, clips;
  ObjectReader reader(result, where, ErrorCode::kCorrupt);
  reader.required("task", task);
  reader.required("architecture", architecture);
  reader.required("single_exit", single_exit);
  reader.required("seed", seed);
  for (const char* key : {"data_digest", "precision", "tool_version"}) reader.optional(key, told);
  reader.required("exits", exits);
  if (run.single_exit == 0) {
    reader.required("rules", rules);
    reader.required("clips", clips);
  }
  BITTERN_RETURN_IF_ERROR(reader.finish());
  if (run.single_exit != 0) return check_exits(exits, {run.single_exit}, where);

  if (!clips.is_array()) return wrong(where, "'clips' must be a list");
  const Shape shape{static_cast<std::size_t>(experiment.networks[run.network].exits), labels, clips.size()};
  std::vector<int> all;
  for (int exit = 1; exit <= experiment.networks[run.network].exits; ++exit) all.push_back(exit);
  BITTERN_RETURN_IF_ERROR(check_exits(exits, all, where));
  if (!rules.is_array() || rules.size() != experiment.thresholds.size())
    return wrong(where, fmt::format("'rules' must be a list of {}", experiment.thresholds.size()));
  for (std::size_t i = 0; i < rules.size(); ++i) {
    BITTERN_RETURN_IF_ERROR(
        check_rule(rules[i], experiment.thresholds[i], shape, fmt::format("{}, rules[{}]", where, i)));
  }
  for (std::size_t i = 0; i < clips.size(); ++i)
    BITTERN_RETURN_IF_ERROR(check_clip(clips[i], shape, fmt::format("{}, clips[{}]", where, i)));
  return {};
}

}  // namespace bittern::reproduce
