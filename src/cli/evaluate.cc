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
#include "cli/labelled_data.h"
#include "cli/layout_options.h"
#include "cli/model_options.h"
#include "cli/output.h"
#include "cli/policy_options.h"
#include "cli/progress.h"
#include "cli/report_file.h"
#include "cli/report_tables.h"
#include "core/atomic_file.h"
#include "evaluation/timing.h"

namespace bittern::cli {
namespace {

struct Options {
  ModelOptions model;
  PolicyOptions policy;
  DataOptions data;
  std::vector<std::string> tables;
  bool per_clip = false;
  bool timing = false;
  int threads = 1;
  std::string json;
  std::string report;

  bool json_to_output() const { return json == "-"; }
};

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
  wanted.operating_point = options.policy.operating_point;
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
  BITTERN_ASSIGN_OR_RETURN(const auto model, open_model(options.model.model));
  evaluation::EvaluateOptions evaluating;
  evaluating.session.segment = options.model.segment_value();
  evaluating.threads = options.threads;
  evaluating.only = options.model.only_mask(model->labels);
  evaluating.per_clip = options.per_clip;
  evaluating.policy = policy_for(options.policy, *model);
  evaluating.timing = options.timing;

  BITTERN_ASSIGN_OR_RETURN(
      const LabelledData data,
      load_labelled(options.data, *model, options.model.segment_value(), evaluating.only));

  // One line at a time: what is being done names it.
  std::string doing;
  std::optional<Progress> progress;
  evaluating.progress = [&](const char* what, std::size_t done, std::size_t total) {
    if (what != doing) progress.emplace(doing = what, "clips", options.data.quiet);
    progress->update(done, total);
    return !interrupted();
  };
  BITTERN_ASSIGN_OR_RETURN(evaluation::Report report, evaluation::evaluate(model, data.clips, evaluating));
  progress.reset();
  report.model = options.model.model;
  report.data = options.data.data;
  report.layout = data.layout;
  report.data_digest = data.digest;
  report.split = options.data.split;
  report.segment = options.model.segment;
  report.skipped = data.skipped;
  report.left_out = data.left_out;
  report.policy = describe(options.policy, evaluating.policy);

  if (!options.report.empty()) BITTERN_RETURN_IF_ERROR(write_page(report, options.report));
  if (options.json_to_output()) return write_out(evaluation::json_text(report));
  if (!options.json.empty()) BITTERN_RETURN_IF_ERROR(write_file(options.json, evaluation::json_text(report)));
  return options.data.quiet ? Status()
                            : write_out(report_tables(report, wanted_tables(options, evaluating.policy)));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  add_model_argument(arguments, options->model);
  add_data_arguments(arguments, options->data, "Which clips: train, validation, test or all");
  add_layout_options(arguments, options->data.scan);
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
  arguments.flag("--quiet", options->data.quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

}  // namespace

const Command kEvaluateCommand{"evaluate", "Measure a model on labelled recordings", configure};

}  // namespace bittern::cli
