// Charts as data: what Apache ECharts calls an option, without a function in it, so that JSON holds it whole.
#pragma once

#include <array>
#include <cstddef>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace bittern::report {

struct Chart {
  std::string name;   // of its files, and its anchor in a page: lower case and hyphens
  std::string title;  // also the caption
  int height = 380;   // pixels; as wide as there is room
  nlohmann::ordered_json option;
};

struct Axis {
  std::string name;  // with its unit
  bool percent = false;
  bool from_zero = false;
  std::optional<double> most;        // where it ends; as the values are, without
  std::optional<double> least = {};  // where it begins
};

struct Line {
  std::string name;
  std::vector<std::array<double, 2>> points;
  // [low, high] at each of the first points; may be empty.
  std::vector<std::array<double, 2>> intervals;
  bool dashed = false;
  // So that what belongs together has one colour in all charts; without it the line's place decides.
  std::optional<std::size_t> colour = {};
  double stroke_shift = 0;  // of its intervals along x, so that those of several lines are told apart
};

// Lines over numbers.
Chart line_chart(std::string name, std::string title, const Axis& x, const Axis& y,
                 const std::vector<Line>& lines);

struct Panel {
  std::string title;
  std::vector<Line> lines;
};

// A small line chart for each panel, side by side and below each other, with the same axes. Lines of one name
// have one colour, and one entry in the legend, in all panels.
Chart panels(std::string name, std::string title, const Axis& x, const Axis& y,
             const std::vector<Panel>& panels);

struct Stack {
  std::string name;
  std::vector<double> values;  // one for each category
};

// "exit 1", "exit 2", ..., without values.
std::vector<Stack> exit_stacks(std::size_t exits);

// One bar for each category, made of the stacks' parts.
Chart stacked_bars(std::string name, std::string title, const Axis& x, const Axis& y,
                   const std::vector<std::string>& categories, const std::vector<Stack>& stacks);

}  // namespace bittern::report
