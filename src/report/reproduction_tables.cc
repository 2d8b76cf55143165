#include "report/reproduction_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "reproduce/paper.h"

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

// Behind a cell of the paper that cannot be right.
constexpr const char* kDoubtful = " †";

// Ours are some tens of microseconds where the paper's are milliseconds.
std::string time_text(const Json& of, const char* key) {
  if (!of.contains(key)) return "-";
  const auto us = of[key].get<double>();
  return us < 999.5 ? fmt::format("{:.0f} µs", us) : fmt::format("{:.2f} ms", us / 1000);
}

Cell soft(std::string text) {
  Cell cell(std::move(text));
  cell.soft = true;
  return cell;
}

// "92.1", below it its interval, and where there are several seeds their deviation.
Cell accuracy_cell(const Mean& mean) {
  if (mean.seeds == 0) return "-";
  Cell cell(fmt::format("{:.1f}", 100 * mean.value));
  cell.small = fmt::format("{:.1f}–{:.1f}", 100 * mean.low, 100 * mean.high);
  if (mean.seeds > 1) cell.small = fmt::format("± {:.1f}\n{}", 100 * mean.deviation, cell.small);
  return cell;
}

template <class Values>
std::vector<Cell> paper_row(const char* how, const Values& values) {
  std::vector<Cell> row{"", soft(how)};
  for (const double value : values) row.push_back(soft(fmt::format("{:.1f}", value)));
  return row;
}

std::vector<Cell> paper_costs(const reproduce::PaperCost& paper) {
  std::vector<Cell> row{
      soft(fmt::format("paper: {}", paper.network)), soft(fmt::format("{:.2f} M", paper.parameters_millions)),
      soft(fmt::format("{:.2f}", paper.packed_mib)),
      soft(fmt::format("{:.2f}{}", paper.float32_mib, paper.float32_mib_doubtful ? kDoubtful : "")),
      soft("inside")};
  for (std::size_t exit = 0; exit < paper.time_ms.size(); ++exit) {
    const bool doubtful = exit == 0 && paper.first_time_doubtful;
    row.push_back(soft(fmt::format("{:.2f} ms{}", paper.time_ms[exit], doubtful ? kDoubtful : "")));
  }
  return row;
}

// Heads the columns behind those that have a head: as many as the longest row has exits, ours or the paper's.
void name_exits(Table& table) {
  const std::size_t before = table.header.size();
  std::size_t columns = before;
  for (const std::vector<Cell>& row : table.rows) columns = std::max(columns, row.size());
  for (std::size_t exit = 1; before + exit <= columns; ++exit)
    table.header.push_back(fmt::format("E{}", exit));
  for (std::vector<Cell>& row : table.rows) row.resize(columns, Cell(""));
}

}  // namespace

void add_costs(const ReproductionData& data, Page& page) {
  page.heading("Table 1: size and time");
  Table table{{"network", "parameters", "packed MiB", "float32 MiB", "front end"}, {}};
  std::string doubts;
  bool compared = false;
  for (const Json& network : data.networks()) {
    std::vector<Cell> row{
        ReproductionData::name(network), fmt::format("{:.2f} M", network["parameters"].get<double>() / 1e6),
        fmt::format("{:.2f}", network["packed_mib"].get<double>()),
        fmt::format("{:.2f}", network["float32_mib"].get<double>()), time_text(network, "front_end_us")};
    for (const Json& exit : network["exits"]) row.emplace_back(time_text(exit, "time_us"));
    table.rows.push_back(std::move(row));
    const auto paper = reproduce::paper_cost(network["paper"].get<std::string>());
    if (!paper) continue;
    compared = true;
    table.rows.push_back(paper_costs(*paper));
    if (!paper->doubt.empty()) doubts += fmt::format(" {}", paper->doubt);
  }
  name_exits(table);
  page.table(table);
  page.note(
      "Ours: sizes with all exits; times from features to the decision at each "
      "exit, the front end apart, on one core of the machine above.");
  if (!compared) return;
  page.note(
      "The paper's: sizes are of the networks as published for one exit, with a float "
      "head; times are from samples to the decision, the front end inside, on a "
      "Snapdragon 855.");
  if (!doubts.empty()) page.note(fmt::format("† As printed in the paper, and cannot be right:{}", doubts));
}

void add_accuracies(const ReproductionData& data, const Json& task, Page& page) {
  Table table{{"network", "trained"}, {}};
  bool several = false;
  for (const Json& network : data.networks()) {
    for (const bool alone : {true, false}) {
      if (alone && !data.single_exits()) continue;
      const bool first = alone || !data.single_exits();
      std::vector<Cell> row{first ? Cell(ReproductionData::name(network)) : Cell(""),
                            alone ? "alone" : "jointly"};
      for (int exit = 1; exit <= ReproductionData::exits(network); ++exit) {
        const Mean mean = data.accuracy(task, network, exit, alone);
        several = several || mean.seeds > 1;
        row.push_back(accuracy_cell(mean));
      }
      table.rows.push_back(std::move(row));
    }
    const auto paper =
        reproduce::paper_accuracy(task["paper"].get<std::string>(), network["paper"].get<std::string>());
    if (!paper) continue;
    table.rows.push_back(paper_row("paper, alone", paper->alone));
    table.rows.push_back(paper_row("paper, jointly", paper->jointly));
  }
  page.subheading("Table 2: accuracy of each exit, per cent");
  name_exits(table);
  page.table(table);
  std::string note =
      data.single_exits() ? "Alone: a network cut behind that exit and trained for it; jointly" : "Jointly";
  note +=
      ": one network with all exits. Small: the 95 % interval for other test clips, by Wilson's formula and, "
      "where speakers are known, a bootstrap over speakers, whichever reaches further.";
  if (several) {
    note +=
        " Where there are several seeds: their mean, ± the standard deviation between them, "
        "which tells what another seed may change, and the mean of their intervals.";
  }
  if (!task["paper"].get<std::string>().empty())
    note += " The paper prints no intervals, and is of other data.";
  page.note(note);
}

}  // namespace bittern::report
