#include "report/evaluation_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>

#include "core/text.h"
#include "evaluation/words.h"
#include "json/text.h"

namespace bittern::report {
namespace {

using evaluation::ExitRow;
using evaluation::interval;
using evaluation::percent;
using evaluation::Proportion;
using evaluation::Report;
using evaluation::RuleRow;

// The rule that the others are measured against, and the threshold that is the default.
constexpr std::string_view kRule = "entropy";
constexpr float kThreshold = 0.5F;

std::vector<const RuleRow*> rows_of(const Report& report, std::string_view rule) {
  std::vector<const RuleRow*> rows;
  for (const RuleRow& row : report.rules)
    if (row.rule == rule) rows.push_back(&row);
  std::sort(rows.begin(), rows.end(),
            [](const RuleRow* a, const RuleRow* b) { return a->threshold < b->threshold; });
  return rows;
}

std::vector<std::string> rules_of(const Report& report) {
  std::vector<std::string> rules;
  for (const RuleRow& row : report.rules)
    if (std::find(rules.begin(), rules.end(), row.rule) == rules.end()) rules.push_back(row.rule);
  return rules;
}

void add_exits(Page& page, const Report& report) {
  page.heading("Each exit alone");
  Table table{{"exit", "accuracy", "95 % interval", "work", "reads"}, {}};
  Line line{"each exit", {}, {}, false};
  const bool timed = report.exits.front().time_us.has_value();
  if (timed) table.header.emplace_back("median time/us");
  for (const ExitRow& row : report.exits) {
    std::vector<Cell> cells{fmt::format("{}", row.exit), percent(row.accuracy), interval(row.accuracy),
                            percent(row.macs_share), row.layer};
    if (timed) cells.emplace_back(row.time_us ? fmt::format("{:.0f}", *row.time_us) : "");
    table.rows.push_back(std::move(cells));
    line.points.push_back({row.macs_share * 100, row.accuracy.value * 100});
    line.intervals.push_back({row.accuracy.low * 100, row.accuracy.high * 100});
  }
  page.table(table);
  page.chart(
      line_chart("exits", "Accuracy of each exit", {"work, share of the whole network's", true, true, 100},
                 {"accuracy", true, false, {}}, {line}),
      "Every clip leaves at the same exit. The strokes are 95 % intervals.");
}

void add_thresholds(Page& page, const Report& report) {
  const auto rows = rows_of(report, kRule);
  if (rows.size() < 2) return;
  page.heading("Leaving early");
  Line line{"entropy rule", {}, {}, false};
  std::vector<std::string> thresholds;
  std::vector<Stack> stacks = exit_stacks(report.exits.size());
  for (const RuleRow* row : rows) {
    const double threshold = json::shortest(row->threshold);
    line.points.push_back({threshold, row->outcome.accuracy.value * 100});
    line.intervals.push_back({row->outcome.accuracy.low * 100, row->outcome.accuracy.high * 100});
    thresholds.push_back(fmt::format("{}", threshold));
    for (std::size_t e = 0; e < stacks.size(); ++e)
      stacks[e].values.push_back(static_cast<double>(row->outcome.histogram[e]));
  }
  page.chart(line_chart("accuracy-by-threshold", "Accuracy by entropy threshold",
                        {"entropy threshold, nats", false, true, {}}, {"accuracy", true, false, {}}, {line}),
             "A clip leaves at the first exit whose entropy is below the threshold. The strokes are 95 % "
             "intervals.");
  page.chart(
      stacked_bars("exits-by-threshold", "Where clips leave", {"entropy threshold, nats", false, true, {}},
                   {"clips", false, true, {}}, thresholds, stacks),
      "A higher threshold lets more clips leave early.");
}

void add_trade(Page& page, const Report& report) {
  std::vector<Line> lines;
  for (const std::string& rule : rules_of(report)) {
    auto rows = rows_of(report, rule);
    std::sort(rows.begin(), rows.end(), [](const RuleRow* a, const RuleRow* b) {
      return a->outcome.average_exit < b->outcome.average_exit;
    });
    Line line{rule, {}, {}, false};
    for (const RuleRow* row : rows)
      line.points.push_back({row->outcome.average_exit, row->outcome.accuracy.value * 100});
    lines.push_back(std::move(line));
  }
  Line all{"each exit alone", {}, {}, true};
  for (const ExitRow& row : report.exits)
    all.points.push_back({static_cast<double>(row.exit), row.accuracy.value * 100});
  lines.push_back(std::move(all));
  page.chart(line_chart("accuracy-by-average-exit", "Accuracy against average exit",
                        {"average exit", false, false, {}}, {"accuracy", true, false, {}}, lines),
             "Each point is one threshold of a rule. Above the dashed line, choosing the exit clip by clip "
             "pays.");
}

void add_points(Page& page, const Report& report) {
  if (report.operating_points.empty()) return;
  page.heading("Operating points");
  const bool timed = report.operating_points.front().time_us.has_value();
  Table table{{"operating point", "accuracy", "95 % interval", "points below last exit", "clips lost",
               "clips won", "average exit", "work"},
              {}};
  if (timed) table.header.emplace_back("median time/us");
  std::vector<std::string> names;
  std::vector<Stack> stacks = exit_stacks(report.exits.size());
  for (const evaluation::PointRow& row : report.operating_points) {
    const evaluation::Outcome& outcome = row.outcome;
    std::vector<Cell> cells{row.name,
                            percent(outcome.accuracy),
                            interval(outcome.accuracy),
                            fmt::format("{:.2f}", row.accuracy_loss() * 100),
                            fmt::format("{}", row.exchange.lost),
                            fmt::format("{}", row.exchange.won),
                            fmt::format("{:.2f}", outcome.average_exit),
                            percent(outcome.macs_share)};
    if (timed) cells.emplace_back(row.time_us ? fmt::format("{:.0f}", *row.time_us) : "");
    table.rows.push_back(std::move(cells));
    names.push_back(row.name);
    for (std::size_t e = 0; e < stacks.size(); ++e)
      stacks[e].values.push_back(static_cast<double>(outcome.histogram[e]));
  }
  page.table(table);
  page.paragraph(
      "What the model's own rules do on these clips. A clip is lost that the last exit gets right and the "
      "operating point wrong, and won the other way round.");
  Table promises{{"operating point", "rule", "thresholds, exit by exit", "promise"}, {}};
  for (const evaluation::PointRow& row : report.operating_points) {
    promises.rows.push_back({row.name, row.rule, evaluation::thresholds(row), row.promise});
  }
  page.table(promises);
  page.chart(stacked_bars("exits-by-operating-point", "Where clips leave at each operating point",
                          {"operating point", false, true, {}}, {"clips", false, true, {}}, names, stacks),
             "Each exit has a threshold of its own.");
}

Line reliability_line(const char* name, const std::vector<evaluation::ReliabilityBin>& bins) {
  Line line{name, {}, {}, false};
  for (const evaluation::ReliabilityBin& bin : bins) {
    line.points.push_back({bin.mean_probability * 100, bin.accuracy.value * 100});
    line.intervals.push_back({bin.accuracy.low * 100, bin.accuracy.high * 100});
  }
  return line;
}

void add_calibration(Page& page, const Report& report) {
  page.heading("Calibration");
  Table table{{"exit", "temperature", "calibration error", "without temperature"}, {}};
  std::vector<Panel> exits;
  const bool any = std::any_of(report.exits.begin(), report.exits.end(),
                               [](const ExitRow& row) { return row.temperature != 1; });
  for (const ExitRow& row : report.exits) {
    table.rows.push_back({fmt::format("{}", row.exit), fmt::format("{:.3f}", row.temperature),
                          fmt::format("{:.3f}", row.ece), fmt::format("{:.3f}", row.ece_without)});
    Panel panel{fmt::format("exit {}", row.exit), {reliability_line("with temperature", row.reliability)}};
    if (any) panel.lines.push_back(reliability_line("without", row.reliability_without));
    panel.lines.push_back({"as said", {{0, 0}, {100, 100}}, {}, true});
    exits.push_back(std::move(panel));
  }
  page.table(table);
  page.paragraph(
      fmt::format("The expected calibration error, over {} bins of equal width of the probability that the "
                  "answer is given: the mean over clips of how far their bin's accuracy is from its mean "
                  "probability.",
                  evaluation::kCalibrationBins));
  page.chart(panels("reliability", "Are answers as often right as they say?",
                    {"probability given", true, true, 100}, {"accuracy", true, true, 100}, exits),
             "Each point is a bin with clips: their mean probability and accuracy, with its 95 % interval. "
             "Below the dashed line an exit is too sure of itself, above it too unsure.");
}

void add_classes(Page& page, const Report& report) {
  page.heading("Each class");
  Table table{{"class", "accuracy", "95 % interval", "clips"}, {}};
  for (const std::size_t c : report.possible_labels()) {
    const Proportion& p = report.per_class[c];
    table.rows.push_back({report.labels[c], percent(p), interval(p), fmt::format("{}", p.clips)});
  }
  page.table(table);
  page.paragraph("At the last exit.");
  const auto rows = rows_of(report, kRule);
  const auto leaving =
      std::find_if(rows.begin(), rows.end(), [](const RuleRow* row) { return row->threshold == kThreshold; });
  if (leaving == rows.end()) return;
  std::vector<Stack> stacks = exit_stacks(report.exits.size());
  std::vector<std::string> classes;
  for (std::size_t c = 0; c < report.per_class.size(); ++c) {
    if (report.per_class[c].clips == 0) continue;
    classes.push_back(report.labels[c]);
    for (std::size_t e = 0; e < stacks.size(); ++e) {
      stacks[e].values.push_back(100 * static_cast<double>((*leaving)->outcome.histogram_per_class[c][e]) /
                                 static_cast<double>(report.per_class[c].clips));
    }
  }
  page.chart(stacked_bars("exits-by-class", "Where each class leaves", {"class", false, true, {}},
                          {"share of its clips", true, true, 100}, classes, stacks),
             fmt::format("By the {} rule at {}. Classes that leave late are hard ones.", kRule, kThreshold));
}

void add_confusion(Page& page, const Report& report) {
  page.heading("Confusion");
  Table table{{"truth \\ answer"}, {}};
  const std::vector<std::size_t> labels = report.possible_labels();
  for (const std::size_t answer : labels) table.header.push_back(report.labels[answer]);
  for (const std::size_t truth : labels) {
    std::size_t all = 0;
    for (const std::size_t count : report.confusion[truth]) all += count;
    std::vector<Cell> cells{report.labels[truth]};
    for (const std::size_t answer : labels) {
      const std::size_t count = report.confusion[truth][answer];
      if (count == 0) {
        cells.emplace_back("");
      } else {
        cells.emplace_back(fmt::format("{}", count), static_cast<double>(count) / static_cast<double>(all));
      }
    }
    table.rows.push_back(std::move(cells));
  }
  page.table(table);
  page.paragraph("At the last exit: rows are the truth, columns the answer.");
}

}  // namespace

Page evaluation_page(const Report& report) {
  Page page(report.model, fmt::format("{} on {}, {} of split {}, {}", report.architecture, report.data,
                                      counted(report.clips, "clip"), report.split,
                                      counted(report.speakers, "known speaker")));
  add_exits(page, report);
  add_thresholds(page, report);
  add_trade(page, report);
  add_points(page, report);
  add_calibration(page, report);
  add_classes(page, report);
  add_confusion(page, report);
  return page;
}

}  // namespace bittern::report
