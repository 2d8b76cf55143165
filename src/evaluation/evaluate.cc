#include "evaluation/evaluate.h"

#include <algorithm>
#include <optional>
#include <set>
#include <span>

#include "evaluation/calibration.h"
#include "evaluation/collect.h"
#include "evaluation/metrics.h"
#include "evaluation/timing.h"
#include "graph/counts.h"

namespace bittern::evaluation {
namespace {

const std::string kNoPromise = "none under --only: it was made for all labels";

// Times every row of `report`, each by really classifying under its policy.
Status add_times(Report& report, const std::shared_ptr<const model::Model>& model, const LabelledClips& clips,
                 const EvaluateOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(Timer timer, Timer::create(model, options.session));
  for (std::size_t i = 0; i < report.clip_rows.size(); ++i) {
    if (options.progress && !options.progress("timing each clip", i, report.clip_rows.size()))
      return Error{ErrorCode::kCancelled, "interrupted"};
    BITTERN_ASSIGN_OR_RETURN(report.clip_rows[i].time_us,
                             timer.microseconds(clips.samples[i], options.policy, options.only));
  }
  std::vector<exits::Policy> policies;
  std::vector<std::optional<double>*> places;
  const auto add = [&](const Expected<exits::Policy>& policy, std::optional<double>& place) -> Status {
    if (!policy.ok()) return policy.error();
    policies.push_back(*policy);
    places.push_back(&place);
    return {};
  };
  const auto exits = static_cast<int>(report.exits.size());
  for (ExitRow& row : report.exits)
    BITTERN_RETURN_IF_ERROR(add(exits::Policy::at_exit(row.exit, exits), row.time_us));
  for (RuleRow& row : report.rules)
    BITTERN_RETURN_IF_ERROR(add(exits::Policy::with_threshold(row.rule, row.threshold), row.time_us));
  for (PointRow& row : report.operating_points)
    BITTERN_RETURN_IF_ERROR(add(exits::Policy::with_thresholds(row.rule, row.thresholds), row.time_us));
  const auto go_on = [&](std::size_t done, std::size_t total) {
    return !options.progress || options.progress("timing", done, total);
  };
  BITTERN_ASSIGN_OR_RETURN(const std::vector<double> times,
                           timer.median_microseconds(clips.samples, policies, options.only, go_on));
  for (std::size_t i = 0; i < places.size(); ++i) *places[i] = times[i];
  return {};
}

// One row for each exit, where all clips leave there.
Expected<std::vector<ExitRow>> exit_rows(const model::Model& model, const Collected& collected,
                                         const Answers& answers, const Truth& truth,
                                         std::span<const std::uint8_t> only) {
  const int exits = model.network.exit_count();
  const Answers uncalibrated = answer_all(collected, std::vector<float>(collected.exits, 1.0F), only);
  const graph::Counts counts = graph::count(model.network);
  std::vector<ExitRow> rows;
  for (int exit = 1; exit <= exits; ++exit) {
    BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy, exits::Policy::at_exit(exit, exits));
    const Outcome outcome = apply(policy, answers, truth, collected);
    const auto place = static_cast<std::size_t>(exit - 1);
    rows.push_back({.exit = exit,
                    .layer = counts.exits[place].layer,
                    .accuracy = outcome.accuracy,
                    .macs_share = outcome.macs_share,
                    .time_us = std::nullopt,
                    .temperature = model.temperatures[place],
                    .ece = expected_calibration_error(answers, truth, exit),
                    .ece_without = expected_calibration_error(uncalibrated, truth, exit),
                    .reliability = reliability(answers, truth, exit),
                    .reliability_without = reliability(uncalibrated, truth, exit)});
  }
  return rows;
}

// One row for each rule and threshold of its sweep that means something here, and the policy's own.
Expected<std::vector<RuleRow>> rule_rows(const exits::Policy& chosen, const Answers& answers,
                                         const Truth& truth, const Collected& collected) {
  std::vector<RuleRow> rows;
  for (const exits::Rule& rule : exits::rules()) {
    std::set<float> thresholds(rule.sweep.begin(), rule.sweep.end());
    if (rule.counts_exits)
      std::erase_if(thresholds, [&](float most) { return most > static_cast<float>(answers.exits); });
    if (chosen.rule == &rule && chosen.one_threshold()) thresholds.insert(chosen.thresholds[0]);
    for (const float threshold : thresholds) {
      BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy,
                               exits::Policy::with_threshold(rule.name, threshold));
      rows.push_back(
          {std::string(rule.name), threshold, apply(policy, answers, truth, collected), std::nullopt});
    }
  }
  return rows;
}

// only: whether answers were restricted. Entropies are other ones then, and the promise was not about them.
Expected<std::vector<PointRow>> point_rows(const model::Model& model, const Answers& answers,
                                           const Truth& truth, const Collected& collected, bool only) {
  std::vector<PointRow> rows;
  for (const model::OperatingPoint& point : model.operating_points) {
    BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy,
                             exits::Policy::with_thresholds(point.rule, point.thresholds));
    const Outcome outcome = apply(policy, answers, truth, collected);
    rows.push_back({point.name, point.rule, point.thresholds, only ? kNoPromise : point.promise, outcome,
                    std::nullopt, against_last_exit(outcome, answers, truth)});
  }
  return rows;
}

}  // namespace

Expected<Report> evaluate(const std::shared_ptr<const model::Model>& model, const LabelledClips& clips,
                          const EvaluateOptions& options) {
  if (clips.samples.empty()) return invalid_argument("there are no clips to evaluate");
  CollectOptions collecting{
      .session = options.session, .threads = options.threads, .names = clips.names, .progress = nullptr};
  if (options.progress) {
    collecting.progress = [&](std::size_t done, std::size_t total) {
      return options.progress("evaluating", done, total);
    };
  }
  BITTERN_ASSIGN_OR_RETURN(const Collected collected, collect(model, clips.samples, collecting));
  const Answers answers = answer_all(collected, model->temperatures, options.only);
  const Truth truth{clips.labels, group_by_speaker(clips.speakers)};

  Report report;
  report.architecture = model->network.architecture();
  report.labels = model->labels;
  report.clips = collected.clips;
  report.unknown_speaker = static_cast<std::size_t>(std::ranges::count(clips.speakers, std::string()));
  report.speakers = std::set(truth.groups.begin(), truth.groups.end()).size() - report.unknown_speaker;
  for (std::size_t c = 0; c < options.only.size(); ++c)
    if (options.only[c] != 0) report.only.push_back(model->labels[c]);

  BITTERN_ASSIGN_OR_RETURN(report.exits, exit_rows(*model, collected, answers, truth, options.only));
  BITTERN_ASSIGN_OR_RETURN(report.rules, rule_rows(options.policy, answers, truth, collected));
  BITTERN_ASSIGN_OR_RETURN(report.operating_points,
                           point_rows(*model, answers, truth, collected, !options.only.empty()));
  const int exits = model->network.exit_count();
  report.per_class = accuracy_per_class(answers, truth, exits, collected.classes);
  report.confusion = confusion(answers, truth, exits, collected.classes);

  if (options.per_clip) {
    for (std::size_t clip = 0; clip < collected.clips; ++clip) {
      const auto of_clip = answers.of(clip);
      const int exit = exit_taken(of_clip, options.policy);
      const auto place = static_cast<std::size_t>(exit - 1);
      report.clip_rows.push_back({.file = clips.names[clip],
                                  .truth = model->labels[static_cast<std::size_t>(clips.labels[clip])],
                                  .label = model->labels[static_cast<std::size_t>(of_clip[place].label)],
                                  .exit = exit,
                                  .entropy = of_clip[place].entropy,
                                  .macs_share = collected.shares_of(clip)[place],
                                  .time_us = std::nullopt,
                                  .speaker = clips.speakers[clip]});
    }
  }
  if (options.timing) BITTERN_RETURN_IF_ERROR(add_times(report, model, clips, options));
  return report;
}

}  // namespace bittern::evaluation
