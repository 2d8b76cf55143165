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
