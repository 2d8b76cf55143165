#include "report/chart.h"

#include <gtest/gtest.h>

namespace bittern::report {
namespace {

TEST(Chart, LinesKeepTheirPointsAndNames) {
  const Chart chart = line_chart("name", "Title", {"x", false, true, {}}, {"y", true, false, 100},
                                 {{"a", {{0.5, 1}, {2, 3}}, {}, false}, {"b", {{1, 1}}, {}, true}});
  const auto& series = chart.option["series"];
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0]["data"].dump(), "[[0.5,1.0],[2.0,3.0]]");
  EXPECT_EQ(series[1]["lineStyle"]["type"], "dashed");
  EXPECT_NE(series[0]["color"], series[1]["color"]);
  EXPECT_EQ(chart.option["legend"]["data"].dump(), R"(["a","b"])");
  EXPECT_FALSE(chart.option["xAxis"]["scale"]);  // from zero
  EXPECT_TRUE(chart.option["yAxis"]["scale"]);
  EXPECT_EQ(chart.option["yAxis"]["max"], 100);
  EXPECT_FALSE(chart.option["xAxis"].contains("max"));
}

TEST(Chart, IntervalsAreStrokesWithGapsBetween) {
  const Chart chart = line_chart("name", "Title", {"x", false, true, {}}, {"y", true, false, {}},
                                 {{"a", {{1, 5}, {2, 6}}, {{4, 6}, {3, 9}}, false}});
  const auto& series = chart.option["series"];
  ASSERT_EQ(series.size(), 2U);
  EXPECT_EQ(series[0]["data"].dump(), "[[1.0,4.0],[1.0,6.0],[null,null],[2.0,3.0],[2.0,9.0],[null,null]]");
  EXPECT_EQ(series[0]["color"], series[1]["color"]);
  EXPECT_FALSE(chart.option.contains("legend"));  // one line needs none
}

TEST(Chart, StrokesOfSeveralLinesCanStandSideBySide) {
  const Chart chart = line_chart("name", "Title", {"x", false, true, {}}, {"y", true, false, {}},
                                 {{"a", {{1, 5}, {2, 6}}, {{4, 6}}, false, {}, 0.25}});
  EXPECT_EQ(chart.option["series"][0]["data"].dump(), "[[1.25,4.0],[1.25,6.0],[null,null]]");
  EXPECT_EQ(chart.option["series"][1]["data"].dump(), "[[1.0,5.0],[2.0,6.0]]");
}

TEST(Chart, WhatBelongsTogetherHasOneColour) {
  std::vector<Line> lines;
  for (const bool dashed : {false, true})
    for (std::size_t i = 0; i < 4; ++i)
      lines.push_back({std::to_string(i) + (dashed ? " alone" : ""), {{1, 1}}, {}, dashed, i});
  const Chart chart = line_chart("name", "Title", {"x", false, true, {}, 1}, {"y", true, false, {}}, lines);
  const auto& series = chart.option["series"];
  ASSERT_EQ(series.size(), 8U);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(series[i]["color"], series[i + 4]["color"]) << i;
  EXPECT_NE(series[0]["color"], series[1]["color"]);
  EXPECT_EQ(chart.option["xAxis"]["min"], 1);
  EXPECT_GT(chart.option["grid"]["top"], 76) << "a legend of two rows";
}

TEST(Chart, PanelsShareAxesColoursAndLegend) {
  const Line first{"a", {{1, 5}}, {{4, 6}}, false};
  const Line second{"b", {{2, 3}}, {}, true};
  const Chart chart = panels("name", "Title", {"x", true, true, 100}, {"y", true, true, 100},
                             {{"one", {first, second}}, {"two", {second}}, {"three", {first}}, {"four", {}}});
  const auto& option = chart.option;
  for (const char* part : {"grid", "xAxis", "yAxis"}) ASSERT_EQ(option[part].size(), 4U) << part;
  EXPECT_EQ(option["title"].size(), 5U);
  EXPECT_EQ(option["title"][0]["text"], "Title");
  EXPECT_EQ(option["title"][4]["text"], "four");
  for (std::size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(option["xAxis"][i]["gridIndex"], i);
    EXPECT_EQ(option["yAxis"][i]["max"], 100);
  }
  EXPECT_EQ(option["grid"][0]["top"], option["grid"][2]["top"]);
  EXPECT_EQ(option["grid"][0]["left"], option["grid"][3]["left"]);
  EXPECT_LT(option["grid"][0]["top"], option["grid"][3]["top"]);
  EXPECT_EQ(option["legend"]["data"].dump(), R"(["a","b"])");
  // a's stroke and line, b | b | a's stroke and line
  const auto& series = option["series"];
  ASSERT_EQ(series.size(), 6U);
  EXPECT_EQ(series[3]["name"], "b");
  EXPECT_EQ(series[3]["xAxisIndex"], 1);
  EXPECT_EQ(series[3]["color"], series[2]["color"]);
  EXPECT_EQ(series[5]["yAxisIndex"], 2);
  EXPECT_EQ(series[5]["color"], series[1]["color"]);
  EXPECT_NE(series[5]["color"], series[2]["color"]);
}

TEST(Chart, StacksHaveOneValueForEachCategory) {
  const Chart chart = stacked_bars("name", "Title", {"x", false, true, {}}, {"y", false, true, {}},
                                   {"p", "q"}, {{"exit 1", {1, 2}}, {"exit 2", {3, 4}}});
  EXPECT_EQ(chart.option["xAxis"]["data"].dump(), R"(["p","q"])");
  ASSERT_EQ(chart.option["series"].size(), 2U);
  EXPECT_EQ(chart.option["series"][1]["data"].dump(), "[3.0,4.0]");
  EXPECT_EQ(chart.option["series"][0]["stack"], chart.option["series"][1]["stack"]);
}

}  // namespace
}  // namespace bittern::report
