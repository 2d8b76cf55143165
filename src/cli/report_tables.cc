#include "cli/report_tables.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/output.h"
#include "core/text.h"
#include "evaluation/words.h"

namespace bittern::cli {
namespace {

using evaluation::interval;
using evaluation::percent;
using evaluation::Proportion;
using evaluation::Report;
using Align = Table::Align;

std::string time(const std::optional<double>& time_us) {
  return time_us ? fmt::format("{:.0f}", *time_us) : std::string();
}

// The column is there only where times were taken.
void add_time_column(std::vector<Table::Column>& columns, bool timed, const char* title) {
  if (timed) columns.push_back({title, Align::kRight, 0});
}

std::string clip_table(const Report& report) {
  const bool timed = report.clip_rows.front().time_us.has_value();
  std::vector<Table::Column> columns{{"file", Align::kLeft, 0},   {"truth", Align::kLeft, 0},
                                     {"answer", Align::kLeft, 0}, {"", Align::kLeft, 0},
                                     {"exit", Align::kRight, 0},  {"entropy/nats", Align::kRight, 0},
                                     {"work", Align::kRight, 0}};
  add_time_column(columns, timed, "time/us");
  Table table(columns);
  for (const evaluation::ClipRow& row : report.clip_rows) {
    table.add({one_line(row.file), one_line(row.truth), one_line(row.label),
               row.truth == row.label ? "" : "wrong", fmt::format("{}", row.exit),
               fmt::format("{:.3f}", row.entropy), percent(row.macs_share), time(row.time_us)});
  }
  return fmt::format("Clips, {}\n{}", report.policy, table.str());
}

std::string exit_table(const Report& report) {
  std::vector<Table::Column> columns{{"exit", Align::kRight, 0},     {"reads", Align::kLeft, 0},
                                     {"accuracy", Align::kRight, 0}, {"95 % interval", Align::kRight, 0},
                                     {"clips", Align::kRight, 0},    {"work", Align::kRight, 0}};
  columns.push_back({"temperature", Align::kRight, 0});
  columns.push_back({"calibration error", Align::kRight, 0});
  columns.push_back({"without temperature", Align::kRight, 0});
  add_time_column(columns, report.exits.front().time_us.has_value(), "median time/us");
  Table table(columns);
  for (const evaluation::ExitRow& row : report.exits) {
    table.add({fmt::format("{}", row.exit), one_line(row.layer), percent(row.accuracy),
               interval(row.accuracy), fmt::format("{}", row.accuracy.clips), percent(row.macs_share),
               fmt::format("{:.3f}", row.temperature), fmt::format("{:.3f}", row.ece),
               fmt::format("{:.3f}", row.ece_without), time(row.time_us)});
  }
  return fmt::format("Each exit alone (calibration error over {} bins)\n{}", evaluation::kCalibrationBins,
                     table.str());
}

std::string rule_table(const Report& report, const std::string& only_rule) {
  std::vector<Table::Column> columns{
      {"rule", Align::kLeft, 0},      {"threshold", Align::kRight, 0},
      {"accuracy", Align::kRight, 0}, {"95 % interval", Align::kRight, 0},
      {"clips", Align::kRight, 0},    {"average exit", Align::kRight, 0},
      {"work", Align::kRight, 0},     {"clips leaving at each exit", Align::kLeft, 0}};
  add_time_column(columns, report.rules.front().time_us.has_value(), "median time/us");
  Table table(columns);
  for (const evaluation::RuleRow& row : report.rules) {
    if (!only_rule.empty() && row.rule != only_rule) continue;
    const evaluation::Outcome& outcome = row.outcome;
    table.add({row.rule, fmt::format("{}", row.threshold), percent(outcome.accuracy),
               interval(outcome.accuracy), fmt::format("{}", outcome.accuracy.clips),
               fmt::format("{:.2f}", outcome.average_exit), percent(outcome.macs_share),
               fmt::format("{}", fmt::join(outcome.histogram, " ")), time(row.time_us)});
  }
  return "Leaving early\n" + table.str();
}

std::string point_table(const Report& report) {
  std::vector<Table::Column> columns{{"operating point", Align::kLeft, 0},
                                     {"rule", Align::kLeft, 0},
                                     {"thresholds", Align::kLeft, 0},
                                     {"accuracy", Align::kRight, 0},
                                     {"95 % interval", Align::kRight, 0},
                                     {"clips", Align::kRight, 0},
                                     {"points below last exit", Align::kRight, 0},
                                     {"average exit", Align::kRight, 0},
                                     {"work", Align::kRight, 0},
                                     {"clips leaving at each exit", Align::kLeft, 0}};
  add_time_column(columns, report.operating_points.front().time_us.has_value(), "median time/us");
  columns.push_back({"promise", Align::kLeft, 0});
  Table table(columns);
  for (const evaluation::PointRow& row : report.operating_points) {
    const evaluation::Outcome& outcome = row.outcome;
    std::vector<std::string> cells{one_line(row.name),
                                   row.rule,
                                   evaluation::thresholds(row),
                                   percent(outcome.accuracy),
                                   interval(outcome.accuracy),
                                   fmt::format("{}", outcome.accuracy.clips),
                                   fmt::format("{:.2f}", row.accuracy_loss() * 100),
                                   fmt::format("{:.2f}", outcome.average_exit),
                                   percent(outcome.macs_share),
                                   fmt::format("{}", fmt::join(outcome.histogram, " "))};
    if (row.time_us) cells.push_back(time(row.time_us));
    cells.push_back(one_line(row.promise));
    table.add(std::move(cells));
  }
  return "The model's operating points\n" + table.str();
}

// Where the clips of each class leave, and by what.
struct Leaving {
  std::string by;
  const evaluation::Outcome* outcome = nullptr;  // null: not shown
};

Leaving leaving_by(const Report& report, const ReportTables& wanted) {
  for (const evaluation::PointRow& row : report.operating_points)
    if (row.name == wanted.operating_point)
      return {fmt::format("operating point {}", one_line(row.name)), &row.outcome};
  if (!wanted.policy.one_threshold()) return {};
  for (const evaluation::RuleRow& row : report.rules)
    if (row.rule == wanted.policy.rule->name && row.threshold == wanted.policy.thresholds[0])
      return {fmt::format("{} {}", row.rule, row.threshold), &row.outcome};
  return {};
}

std::string class_table(const Report& report, const ReportTables& wanted) {
  std::vector<Table::Column> columns{{"class", Align::kLeft, 0},
                                     {"accuracy", Align::kRight, 0},
                                     {"95 % interval", Align::kRight, 0},
                                     {"clips", Align::kRight, 0}};
  const Leaving leaving = leaving_by(report, wanted);
  if (leaving.outcome != nullptr)
    columns.push_back({fmt::format("leaving at each exit by {}", leaving.by), Align::kLeft, 0});
  Table table(columns);
  for (const std::size_t c : report.possible_labels()) {
    const Proportion& p = report.per_class[c];
    std::vector<std::string> row{one_line(report.labels[c]), percent(p), interval(p),
                                 fmt::format("{}", p.clips)};
    if (leaving.outcome != nullptr)
      row.push_back(fmt::format("{}", fmt::join(leaving.outcome->histogram_per_class[c], " ")));
    table.add(std::move(row));
  }
  return "Each class at the last exit\n" + table.str();
}

std::string confusion_table(const Report& report) {
  const std::vector<std::size_t> labels = report.possible_labels();
  std::vector<Table::Column> columns{{"truth \\ answer", Align::kLeft, 0}};
  for (const std::size_t answer : labels)
    columns.push_back({one_line(report.labels[answer]), Align::kRight, 0});
  Table table(columns);
  for (const std::size_t truth : labels) {
    std::vector<std::string> row{one_line(report.labels[truth])};
    for (const std::size_t answer : labels) {
      const std::size_t count = report.confusion[truth][answer];
      row.push_back(count == 0 ? std::string(".") : fmt::format("{}", count));
    }
    table.add(std::move(row));
  }
  return "Confusion at the last exit\n" + table.str();
}

}  // namespace

std::string report_tables(const Report& report, const ReportTables& wanted) {
  std::string text =
      fmt::format("{} ({}) on {}, {} of split {}\n", one_line(report.model), report.architecture,
                  one_line(report.data), counted(report.clips, "clip"), report.split);
  if (report.left_out > 0)
    text += fmt::format("{} of other labels left out (--only {})\n", counted(report.left_out, "clip"),
                        one_line(fmt::format("{}", fmt::join(report.only, ","))));
  if (report.skipped > 0) text += counted(report.skipped, "unreadable clip") + " skipped\n";
  if (!report.clip_rows.empty()) text += "\n" + clip_table(report);
  if (wanted.exits) text += "\n" + exit_table(report);
  if (wanted.rules) text += "\n" + rule_table(report, wanted.rule);
  if (wanted.rules && !report.operating_points.empty()) text += "\n" + point_table(report);
  if (wanted.classes) text += "\n" + class_table(report, wanted);
  if (wanted.confusion) text += "\n" + confusion_table(report);
  return text;
}

}  // namespace bittern::cli
