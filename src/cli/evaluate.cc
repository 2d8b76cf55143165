// bittern evaluate MODEL --data DIR: how often is it right, and how early?
#include "evaluation/evaluate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/layout_options.h"
#include "cli/model_options.h"
#include "cli/output.h"
#include "cli/policy_options.h"
#include "cli/progress.h"
#include "cli/report_file.h"
#include "cli/report_tables.h"
#include "core/atomic_file.h"
#include "datasets/dataset.h"
#include "evaluation/labels.h"
#include "evaluation/timing.h"
#include "model/file.h"
#include "runtime/session.h"

namespace bittern::cli {
namespace {

constexpr const char* kAllSplits = "all";

struct Options {
  ModelOptions model;
  PolicyOptions policy;
  std::string data;
  std::string split = "test";
  datasets::ScanOptions scan;
  std::vector<std::string> tables;
  bool per_clip = false;
  bool timing = false;
  int threads = 1;
  std::string json;
  std::string report;
  bool quiet = false;

  bool json_to_output() const { return json == "-"; }
};

// What the evaluation needs of the data set, and what it leaves to be told.
struct Data {
  evaluation::LabelledClips clips;
  std::size_t skipped = 0;
  std::size_t left_out = 0;
};

// "train 10, test 4"
std::string splits_of(const datasets::Dataset& dataset) {
  std::string text;
  for (const auto split : {datasets::Split::kTrain, datasets::Split::kValidation, datasets::Split::kTest}) {
    const std::size_t count = dataset.of(split).size();
    if (count > 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", datasets::name(split), count);
  }
  return text;
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

Expected<Data> load_data(datasets::Dataset dataset, const Options& options, const model::Model& model,
                         const std::vector<std::uint8_t>& only) {
  Data data;
  BITTERN_ASSIGN_OR_RETURN(const std::vector<int> matched,
                           evaluation::match_labels(dataset.labels, model.labels, only));
  auto split = datasets::Split::kTest;
  if (options.split == kAllSplits) {
    for (datasets::Clip& clip : dataset.clips) clip.split = split;
  } else {
    BITTERN_ASSIGN_OR_RETURN(split, datasets::parse_split(options.split));
  }
  if (dataset.of(split).empty())
    return not_found(fmt::format("{}: no {} clips (there are: {}); choose another --split, or all",
                                 options.data, options.split, splits_of(dataset)));
  const auto first_left_out =
      std::stable_partition(dataset.clips.begin(), dataset.clips.end(), [&](const datasets::Clip& clip) {
        return clip.split != split || matched[static_cast<std::size_t>(clip.label)] >= 0;
      });
  data.left_out = static_cast<std::size_t>(dataset.clips.end() - first_left_out);
  dataset.clips.erase(first_left_out, dataset.clips.end());
  if (dataset.of(split).empty())
    return not_found(fmt::format("{}: no {} clips of the labels in --only", options.data, options.split));

  Progress progress("reading", "clips", options.quiet);
  const auto report_progress = [&](std::size_t done, std::size_t total) {
    progress.update(done, total);
    return !interrupted();
  };
  BITTERN_ASSIGN_OR_RETURN(datasets::LoadedClips loaded,
                           datasets::load(dataset, split, model.front_end.sample_rate, report_progress,
                                          not_too_long(model, options.model.segment_value())));
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

ReportTables wanted_tables(const Options& options, const exits::Policy& policy) {
  ReportTables wanted;
  const auto has = [&](const char* name) {
    return options.tables.empty() ||
           std::find(options.tables.begin(), options.tables.end(), name) != options.tables.end();
  };
  wanted.exits = has("exits");
  wanted.rules = has("rules");
  wanted.classes = has("classes");
  wanted.confusion = has("confusion");
  wanted.rule = options.policy.rule;
  wanted.policy = policy;
  return wanted;
}

Status run(const Options& options) {
  if (options.policy.exit != 0 && !options.per_clip)
    fail_usage("--exit goes with --per-clip; every exit has its row anyway");
  if (options.policy.exit == 0) rule_policy(options.policy);  // wrong usage is told before files are opened
  // Minutes of work must not be lost to a misspelt folder, or one that is someone else's.
  if (!options.json.empty() && !options.json_to_output())
    BITTERN_RETURN_IF_ERROR(check_place_for_file(options.json));
  if (!options.report.empty()) {
    BITTERN_RETURN_IF_ERROR(can_write_page());
    BITTERN_RETURN_IF_ERROR(check_place_for_file(options.report));
  }
  BITTERN_ASSIGN_OR_RETURN(const auto model, model::open(options.model.model));
  evaluation::EvaluateOptions evaluating;
  evaluating.session.segment = options.model.segment_value();
  evaluating.threads = options.threads;
  evaluating.only = options.model.only_mask(model->labels);
  evaluating.per_clip = options.per_clip;
  evaluating.policy = policy_for(options.policy, model->network.exit_count());
  evaluating.timing = options.timing;

  // What a layout draws for training is drawn as it was for this model: --split train is what it heard, and
  // the digest that of its provenance.
  datasets::ScanOptions scan = options.scan;
  scan.seed = model->provenance.seed;
  BITTERN_ASSIGN_OR_RETURN(datasets::Dataset dataset, datasets::scan(options.data, scan));
  if (!options.quiet)
    for (const std::string& warning : dataset.warnings) print_warning(warning);
  const std::string layout = dataset.layout;
  const std::string digest = dataset.digest();
  BITTERN_ASSIGN_OR_RETURN(const Data data, load_data(std::move(dataset), options, *model, evaluating.only));

  // One line at a time: what is being done names it.
  std::string doing;
  std::optional<Progress> progress;
  evaluating.progress = [&](const char* what, std::size_t done, std::size_t total) {
    if (what != doing) progress.emplace(doing = what, "clips", options.quiet);
    progress->update(done, total);
    return !interrupted();
  };
  BITTERN_ASSIGN_OR_RETURN(evaluation::Report report, evaluation::evaluate(model, data.clips, evaluating));
  progress.reset();
  report.model = options.model.model;
  report.data = options.data;
  report.layout = layout;
  report.data_digest = digest;
  report.split = options.split;
  report.segment = options.model.segment;
  report.skipped = data.skipped;
  report.left_out = data.left_out;
  report.policy = describe(evaluating.policy);

  if (!options.report.empty()) BITTERN_RETURN_IF_ERROR(write_page(report, options.report));
  if (options.json_to_output()) return write_out(evaluation::json_text(report));
  if (!options.json.empty()) BITTERN_RETURN_IF_ERROR(write_file(options.json, evaluation::json_text(report)));
  return options.quiet ? Status()
                       : write_out(report_tables(report, wanted_tables(options, evaluating.policy)));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  add_model_argument(arguments, options->model);
  arguments.add("--data DIR", options->data, "Folder of labelled recordings").check(not_empty()).required();
  arguments.add("--split NAME", options->split, "Which clips: train, validation, test or all")
      .check(one_of({"train", "validation", "test", kAllSplits}))
      .show_default();
  add_layout_options(arguments, options->scan);
  add_model_options(arguments, options->model);
  add_policy_options(
      arguments, options->policy,
      "The rule whose rows are shown, its threshold among them; when clips leave with --per-clip");
  arguments.flag("--per-clip", options->per_clip,
                 "List every clip: truth, answer, exit taken, entropy, work");
  arguments.flag(
      "--timing", options->timing,
      fmt::format("Measure times on one thread: per clip the median of {} runs, per row the median over "
                  "at most {} clips",
                  evaluation::kTimingRepeats, evaluation::kTimingClips));
  arguments
      .list("--tables A,B,...", options->tables, "Print only these tables: exits, rules, classes, confusion")
      .check(one_of({"exits", "rules", "classes", "confusion"}));
  arguments
      .add("--json OUT", options->json,
           "Write the report to this file (- for standard output, without tables)")
      .check(not_empty());
  arguments.add("--report OUT", options->report, "Write the report with its charts to this HTML file")
      .check(not_empty());
  add_threads_argument(arguments, options->threads, "Clips at the same time; changes no result but times");
  arguments.flag("--quiet", options->quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

}  // namespace

const Command kEvaluateCommand{"evaluate", "Measure a model on labelled recordings", configure};

}  // namespace bittern::cli
