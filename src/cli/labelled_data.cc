#include "cli/labelled_data.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <span>
#include <utility>

#include "cli/output.h"
#include "cli/progress.h"
#include "evaluation/labels.h"
#include "evaluation/timing.h"

namespace bittern::cli {
namespace {

// "train 10, test 4"
std::string splits_of(const datasets::Dataset& dataset) {
  std::string text;
  for (const auto split : {datasets::Split::kTrain, datasets::Split::kValidation, datasets::Split::kTest}) {
    const std::size_t count = dataset.of(split).size();
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", datasets::name(split), count);
  }
  return text;
}

// "; choose --split validation or all"
std::string advice_on_split(const DataOptions& options, const datasets::Dataset& dataset) {
  std::vector<std::string> choices;
  for (const std::string& word : options.splits) {
    const auto split = datasets::parse_split(word);
    if (!split.ok() || !dataset.of(*split).empty()) choices.push_back(word);
  }
  if (choices.empty()) return "";
  return fmt::format("; choose --split {}", fmt::join(choices, " or "));
}

// Of clips that no session can take, one must not end the evaluation of the others.
datasets::Accept not_too_long(const model::Model& model, runtime::Segment segment) {
  return [&model, segment, longest = std::int64_t{0}](std::span<const float> samples) mutable -> Status {
    const std::int64_t length = evaluation::planned_samples(model.front_end, segment, samples.size());
    if (length <= longest) return {};
    const auto planned = runtime::Session::required_arena_bytes(model, length, segment);
    if (!planned.ok()) return planned.error();
    longest = length;
    return {};
  };
}

}  // namespace

void add_data_arguments(Arguments& arguments, DataOptions& options, const std::string& which_clips) {
  arguments.add("--data DIR", options.data, "Folder of labelled recordings").check(not_empty()).required();
  arguments.add("--split NAME", options.split, which_clips).check(one_of(options.splits)).show_default();
}

Expected<LabelledData> load_labelled(const DataOptions& options, const model::Model& model,
                                     runtime::Segment segment, const std::vector<std::uint8_t>& only) {
  // What a layout draws for training is drawn as it was for this model: --split train is what it heard, and
  // the digest that of its provenance.
  datasets::ScanOptions scan = options.scan;
  scan.seed = model.provenance.seed;
  BITTERN_ASSIGN_OR_RETURN(datasets::Dataset dataset, datasets::scan(options.data, scan));
  LabelledData data;
  data.layout = dataset.layout;
  data.digest = dataset.digest();
  const Expected<std::vector<int>> matching = evaluation::match_labels(dataset.labels, model.labels, only);
  if (!matching.ok())
    return Error{
        matching.error().code,
        fmt::format("{} ({})", matching.error().message,
                    options.has_only ? "another --task, or --only to leave labels out?" : "another --task?")};
  const std::vector<int>& matched = *matching;
  auto split = datasets::Split::kTest;
  std::optional<datasets::Split> measured;  // none: all
  if (options.split == kAllSplits) {
    for (datasets::Clip& clip : dataset.clips) clip.split = split;
  } else {
    BITTERN_ASSIGN_OR_RETURN(split, datasets::parse_split(options.split));
    measured = split;
  }
  if (!options.quiet)
    for (const std::string& warning : dataset.warnings_for(measured)) print_warning(warning);
  if (dataset.of(split).empty())
    return not_found(fmt::format("{}: no {} clips (there are: {}){}", options.data, options.split,
                                 splits_of(dataset), advice_on_split(options, dataset)));
  const auto first_left_out =
      std::stable_partition(dataset.clips.begin(), dataset.clips.end(), [&](const datasets::Clip& clip) {
        return clip.split != split || matched[static_cast<std::size_t>(clip.label)] >= 0;
      });
  data.left_out = static_cast<std::size_t>(dataset.clips.end() - first_left_out);
  dataset.clips.erase(first_left_out, dataset.clips.end());
  if (dataset.of(split).empty())
    return not_found(fmt::format("{}: no {} clips of the labels in --only", options.data, options.split));

  Progress progress("reading", "clips", options.quiet);
  BITTERN_ASSIGN_OR_RETURN(datasets::LoadedClips loaded,
                           datasets::load(dataset, split, model.front_end.sample_rate, follow(progress),
                                          not_too_long(model, segment)));
  progress.clear();
  if (!options.quiet)
    for (const std::string& line : loaded.skipped) print_warning("skipped " + line);
  data.skipped = loaded.skipped.size();
  data.clips.samples = std::move(loaded.samples);
  data.clips.names = std::move(loaded.names);
  data.clips.speakers = std::move(loaded.speakers);
  for (const int label : loaded.labels) data.clips.labels.push_back(matched[static_cast<std::size_t>(label)]);
  return data;
}

}  // namespace bittern::cli
