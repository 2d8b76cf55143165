#include "report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

// Okabe and Ito's colours, which people tell apart whatever colours they see; by brightness, dark to light,
// where they follow each other in a stack.
Json colours() { return {"#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C8C8C"}; }

Json axis_json(const Axis& axis, bool vertical) {
  Json json{{"type", "value"},          {"name", axis.name},
            {"nameLocation", "middle"}, {"nameGap", vertical ? 48 : 30},
            {"scale", !axis.from_zero}, {"splitLine", {{"lineStyle", {{"opacity", 0.4}}}}}};
  if (axis.most) json["max"] = *axis.most;
  if (axis.least) json["min"] = *axis.least;
  if (axis.percent) json["axisLabel"] = {{"formatter", "{value} %"}};
  return json;
}

Json frame(const std::string& title) {
  return {{"animation", false},
          {"color", colours()},
          {"title", {{"text", title}, {"left", "center"}, {"textStyle", {{"fontSize", 15}}}}},
          {"grid", {{"left", 70}, {"right", 30}, {"top", 76}, {"bottom", 56}}},
          {"series", Json::array()}};
}

Json legend(Json names) { return {{"top", 32}, {"data", std::move(names)}}; }

// An upright stroke at each point: one line with gaps. (Areas can be stacked over categories only.)
Json intervals(const Line& line, const Json& colour) {
  Json data = Json::array();
  for (std::size_t i = 0; i < line.intervals.size(); ++i) {
    const double x = line.points[i][0] + line.stroke_shift;
    data.push_back({x, line.intervals[i][0]});
    data.push_back({x, line.intervals[i][1]});
    data.push_back({nullptr, nullptr});
  }
  return {{"name", line.name},      {"type", "line"},  {"symbol", "none"},
          {"silent", true},         {"color", colour}, {"lineStyle", {{"width", 1.5}, {"opacity", 0.65}}},
          {"data", std::move(data)}};
}

// The series of `lines`, whose place in the legend is that of their name in `names`.
void add_lines(Json& series, Json& names, const std::vector<Line>& lines, std::size_t panel) {
  const auto add = [&](Json one) {
    if (panel != 0) one.update({{"xAxisIndex", panel}, {"yAxisIndex", panel}});
    series.push_back(std::move(one));
  };
  for (const Line& line : lines) {
    const auto known = std::find(names.begin(), names.end(), line.name);
    const std::size_t place = line.colour.value_or(static_cast<std::size_t>(known - names.begin()));
    const Json colour = colours()[place % colours().size()];
    if (known == names.end()) names.push_back(line.name);
    // The legend shows what it finds first of a name: of a dashed line its dashes.
    const bool strokes = !line.intervals.empty();
    if (strokes && !line.dashed) add(intervals(line, colour));
    Json style{{"width", 2}};
    if (line.dashed) style["type"] = "dashed";
    add({{"name", line.name},
         {"type", "line"},
         {"symbol", line.dashed ? "none" : "circle"},
         {"symbolSize", 6},
         {"color", colour},
         {"lineStyle", std::move(style)},
         {"data", line.points}});
    if (strokes && line.dashed) add(intervals(line, colour));
  }
}

std::string share(double of_width) { return fmt::format("{:.1f}%", of_width); }

}  // namespace

Chart line_chart(std::string name, std::string title, const Axis& x, const Axis& y,
                 const std::vector<Line>& lines) {
  Chart chart{std::move(name), std::move(title), 380, {}};
  Json option = frame(chart.title);
  option["tooltip"] = {{"trigger", "item"}};
  option["xAxis"] = axis_json(x, false);
  option["yAxis"] = axis_json(y, true);
  Json names = Json::array();
  add_lines(option["series"], names, lines, 0);
  // The legend's second row, where it has one.
  constexpr std::size_t kOneRow = 4;
  if (names.size() > kOneRow) option["grid"]["top"] = 100;
  if (names.size() > 1) option["legend"] = legend(std::move(names));
  chart.option = std::move(option);
  return chart;
}

Chart panels(std::string name, std::string title, const Axis& x, const Axis& y,
             const std::vector<Panel>& panels) {
  // Across in shares of the width, which the reader's window decides; down in pixels.
  constexpr std::size_t kMostColumns = 3;
  constexpr int kTop = 100, kHeight = 170, kGap = 84;
  const std::size_t columns = std::clamp(panels.size(), std::size_t{1}, kMostColumns);
  const std::size_t rows = (panels.size() + columns - 1) / columns;
  const double cell = 100.0 / static_cast<double>(columns);
  Chart chart{std::move(name), std::move(title), kTop + static_cast<int>(rows) * (kHeight + kGap) - 24, {}};
  Json option = frame(chart.title);
  option["tooltip"] = {{"trigger", "item"}};
  option["title"] = Json::array({option["title"]});
  option["grid"] = Json::array();
  option["xAxis"] = Json::array();
  option["yAxis"] = Json::array();
  Json names = Json::array();
  for (std::size_t i = 0; i < panels.size(); ++i) {
    const double left = cell * static_cast<double>(i % columns);
    const int top = kTop + static_cast<int>(i / columns) * (kHeight + kGap);
    option["title"].push_back({{"text", panels[i].title},
                               {"left", share(left + cell * 0.59)},
                               {"top", top - 28},
                               {"textAlign", "center"},
                               {"textStyle", {{"fontSize", 13}, {"fontWeight", "normal"}}}});
    option["grid"].push_back({{"left", share(left + cell * 0.27)},
                              {"width", share(cell * 0.64)},
                              {"top", top},
                              {"height", kHeight}});
    for (const bool vertical : {false, true}) {
      const Axis& wanted = vertical ? y : x;
      Json axis = axis_json(wanted, vertical);
      axis["gridIndex"] = i;
      const int steps = vertical ? 4 : 2;  // labels must not run into each other
      axis["splitNumber"] = steps;
      if (wanted.from_zero && wanted.most) axis["interval"] = *wanted.most / steps;
      option[vertical ? "yAxis" : "xAxis"].push_back(std::move(axis));
    }
    add_lines(option["series"], names, panels[i].lines, i);
  }
  if (names.size() > 1) option["legend"] = legend(std::move(names));
  chart.option = std::move(option);
  return chart;
}

std::vector<Stack> exit_stacks(std::size_t exits) {
  std::vector<Stack> stacks;
  for (std::size_t exit = 1; exit <= exits; ++exit) stacks.push_back({fmt::format("exit {}", exit), {}});
  return stacks;
}

Chart stacked_bars(std::string name, std::string title, const Axis& x, const Axis& y,
                   const std::vector<std::string>& categories, const std::vector<Stack>& stacks) {
  Chart chart{std::move(name), std::move(title), 380, {}};
  Json option = frame(chart.title);
  // So that long names do not run into each other.
  constexpr std::size_t kMostUpright = 8;
  const bool slanted = categories.size() > kMostUpright;
  option["tooltip"] = {{"trigger", "axis"}, {"axisPointer", {{"type", "shadow"}}}};
  option["xAxis"] = {{"type", "category"},
                     {"name", x.name},
                     {"nameLocation", "middle"},
                     {"nameGap", slanted ? 44 : 30},
                     {"axisLabel", {{"interval", 0}, {"rotate", slanted ? 30 : 0}}},
                     {"data", categories}};
  option["yAxis"] = axis_json(y, true);
  Json names = Json::array();
  for (const Stack& stack : stacks) {
    names.push_back(stack.name);
    option["series"].push_back({{"name", stack.name},
                                {"type", "bar"},
                                {"stack", "all"},
                                {"barMaxWidth", 48},
                                {"data", stack.values}});
  }
  if (stacks.size() > 1) option["legend"] = legend(std::move(names));
  chart.option = std::move(option);
  return chart;
}

}  // namespace bittern::report
