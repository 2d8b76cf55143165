#include "cli/calibration_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "cli/output.h"
#include "core/text.h"
#include "evaluation/report.h"
#include "evaluation/thresholds.h"
#include "json/text.h"

namespace bittern::cli {
namespace {

using Json = nlohmann::ordered_json;

const char* goal_name(evaluation::Goal goal) {
  switch (goal) {
    case evaluation::Goal::kAccuracyLoss:
      return "max_accuracy_loss";
    case evaluation::Goal::kMacs:
      return "budget_macs";
    case evaluation::Goal::kTime:
      break;
  }
  return "budget_us";
}

bool temperatures_fitted(const CalibrationReport& report) { return report.options.temperatures.empty(); }

std::string accuracy(const evaluation::Proportion& p) {
  return fmt::format("{:.2f} % ({:.2f} to {:.2f} %)", p.value * 100, p.low * 100, p.high * 100);
}

std::string threshold_text(const CalibrationReport& report, std::size_t exit) {
  if (exit + 1 == report.found.thresholds.size()) return "-";
  const float threshold = report.found.thresholds[exit];
  return threshold >= evaluation::all_leave(report.classes) ? fmt::format("{} (all leave)", threshold)
                                                            : fmt::format("{}", threshold);
}

}  // namespace

Json calibration_json(const CalibrationReport& report) {
  const evaluation::Calibration& found = report.found;
  const std::vector<double> thresholds = json::shortest(found.thresholds);
  Json exits = Json::array();
  for (std::size_t i = 0; i < found.thresholds.size(); ++i) {
    exits.push_back({{"exit", i + 1},
                     {"temperature", json::shortest(found.temperatures[i])},
                     {"ece", found.ece[i]},
                     {"ece_at_temperature_1", found.ece_without[i]},
                     {"threshold", thresholds[i]},
                     {"time_us", report.options.exit_us[i]}});
  }
  return {{"model", report.model},
          {"data",
           {{"folder", report.asked.data},
            {"layout", report.data->layout},
            {"split", report.asked.split},
            {"digest", report.data->digest},
            {"clips", report.data->clips.labels.size()},
            {"skipped", report.data->skipped}}},
          {"operating_point",
           {{"name", report.point.name},
            {"rule", report.point.rule},
            {"thresholds", thresholds},
            {"promise", report.point.promise}}},
          {goal_name(report.options.goal), report.options.limit},
          {"confidence", report.options.confidence},
          {"over", report.options.by_speaker ? "speakers" : "clips"},
          {"clips_left_out", found.left_out},
          {"clips_tuning", found.halves.tuning.size()},
          {"clips_testing", found.halves.testing.size()},
          {"speakers_testing", found.speakers},
          {"temperatures_fitted", temperatures_fitted(report)},
          {"exits", exits},
          {"accuracy", evaluation::to_json(found.outcome.accuracy)},
          {"accuracy_last_exit", evaluation::to_json(found.last_accuracy)},
          {"mean", found.mean},
          {"accuracy_loss", found.accuracy_loss},
          {"average_exit", found.outcome.average_exit},
          {"macs_share", found.outcome.macs_share},
          {"histogram", found.outcome.histogram},
          {"time_us", found.time_us},
          {"time_us_last_exit", report.options.exit_us.back()},
          {"written", report.written.empty() ? Json() : Json(report.written)}};
}

std::string calibration_text(const CalibrationReport& report) {
  const evaluation::Calibration& found = report.found;
  std::string text = fmt::format(
      "{} on {}, split {}: {} to tune, {} others to test{}\n", one_line(report.model),
      one_line(report.asked.data), report.asked.split, counted(found.halves.tuning.size(), "clip"),
      found.halves.testing.size(),
      temperatures_fitted(report) ? "" : "; temperatures kept, other operating points depend on them");
  if (found.left_out > 0)
    text += counted(found.left_out, "clip") + " left out: of speakers that are not known\n";
  text += '\n';
  Table table({{"exit", Table::Align::kRight, 0},
               {"temperature", Table::Align::kRight, 0},
               {"calibration error", Table::Align::kRight, 0},
               {"without temperature", Table::Align::kRight, 0},
               {"entropy threshold/nats", Table::Align::kRight, 0},
               {"clips leaving", Table::Align::kRight, 0},
               {"time/us", Table::Align::kRight, 0}});
  for (std::size_t i = 0; i < found.thresholds.size(); ++i) {
    table.add({fmt::format("{}", i + 1), fmt::format("{:.3f}", found.temperatures[i]),
               fmt::format("{:.3f}", found.ece[i]), fmt::format("{:.3f}", found.ece_without[i]),
               threshold_text(report, i), fmt::format("{}", found.outcome.histogram[i]),
               fmt::format("{:.0f}", report.options.exit_us[i])});
  }
  text += table.str();
  text += fmt::format("\noperating point  {}\npromise          {}\n", one_line(report.point.name),
                      one_line(report.point.promise));
  text +=
      fmt::format("found there      accuracy {}, {} at the last exit; loss {:.2f} points\n",
                  accuracy(found.outcome.accuracy), accuracy(found.last_accuracy), found.accuracy_loss * 100);
  text += fmt::format("                 {:.1f} % of the work, {:.0f} of {:.0f} us, average exit {:.2f}\n",
                      found.outcome.macs_share * 100, found.time_us, report.options.exit_us.back(),
                      found.outcome.average_exit);
  text += fmt::format("written to       {}\n",
                      report.written.empty() ? "nothing (--dry-run)" : one_line(report.written));
  return text;
}

}  // namespace bittern::cli
