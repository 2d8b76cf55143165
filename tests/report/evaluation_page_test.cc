#include "report/evaluation_page.h"

#include <gtest/gtest.h>

namespace bittern::report {
namespace {

evaluation::Report some_report() {
  evaluation::Report report;
  report.model = "model.bittern";
  report.architecture = "quicknet";
  report.data = "recordings";
  report.split = "test";
  report.labels = {"yes", "no"};
  report.clips = 10;
  report.speakers = 3;
  for (int exit = 1; exit <= 2; ++exit)
    report.exits.push_back({exit, "layer", {0.5 + 0.25 * exit, 0.5, 1, 10}, 0.5 * exit, {}});
  for (const char* rule : {"entropy", "margin"}) {
    for (const float threshold : {0.1F, 0.5F}) {
      evaluation::Outcome outcome;
      outcome.accuracy = {0.85, 0.6, 0.9, 10};
      outcome.average_exit = 2 - threshold;
      outcome.histogram = {4, 6};
      outcome.histogram_per_class = {{1, 3}, {3, 3}};
      report.rules.push_back({rule, threshold, outcome, {}});
    }
  }
  report.per_class = {{1, 0.5, 1, 4}, {0.8, 0.4, 0.9, 6}};
  report.confusion = {{4, 0}, {1, 5}};
  return report;
}

const Chart& chart_of(const Page& page, const std::string& name) {
  for (const Chart& chart : page.charts())
    if (chart.name == name) return chart;
  throw std::runtime_error("no chart " + name);
}

std::string html_of(const evaluation::Report& report) {
  const auto html = evaluation_page(report).html();
  EXPECT_TRUE(html.ok()) << html.error().message;
  return html.ok() ? *html : std::string();
}

TEST(EvaluationPage, DrawsWhatTheReportSays) {
  const Page page = evaluation_page(some_report());
  EXPECT_EQ(chart_of(page, "accuracy-by-threshold").option["series"].back()["data"].dump(),
            "[[0.1,85.0],[0.5,85.0]]");
  EXPECT_EQ(chart_of(page, "exits").option["series"].back()["data"].dump(), "[[50.0,75.0],[100.0,100.0]]");
  const auto& bars = chart_of(page, "exits-by-threshold").option;
  EXPECT_EQ(bars["xAxis"]["data"].dump(), R"(["0.1","0.5"])");
  EXPECT_EQ(bars["series"][1]["data"].dump(), "[6.0,6.0]");
  const auto& trade = chart_of(page, "accuracy-by-average-exit").option["series"];
  ASSERT_EQ(trade.size(), 3U) << "two rules, and each exit alone";
  EXPECT_EQ(trade[0]["data"].dump(), "[[1.5,85.0],[1.899999976158142,85.0]]");
  EXPECT_EQ(chart_of(page, "exits-by-class").option["series"][0]["data"].dump(), "[25.0,50.0]");
}

TEST(EvaluationPage, ShowsWhatProbabilitiesAreWorth) {
  evaluation::Report report = some_report();
  report.exits[1].reliability = {{9, 0.6, {0.5, 0.25, 0.75, 4}}, {15, 1, {1, 0.5, 1, 6}}};
  report.exits[1].reliability_without = {{15, 0.95, {0.8, 0.5, 0.9, 10}}};
  const auto lines = [&] {
    const auto series = chart_of(evaluation_page(report), "reliability").option["series"];
    std::vector<std::string> found;
    for (const auto& line : series)
      if (line.value("xAxisIndex", 0) == 1)
        found.push_back(line["name"].get<std::string>() + " " + line["data"].dump());
    return found;
  };
  const std::vector<std::string> without_temperature{
      "with temperature [[60.0,25.0],[60.0,75.0],[null,null],[100.0,50.0],[100.0,100.0],[null,null]]",
      "with temperature [[60.0,50.0],[100.0,100.0]]", "as said [[0.0,0.0],[100.0,100.0]]"};
  EXPECT_EQ(lines(), without_temperature);
  report.exits[1].temperature = 2;
  ASSERT_EQ(lines().size(), 5U);
  EXPECT_EQ(lines()[3], "without [[95.0,80.0]]");
  EXPECT_NE(html_of(report).find("<td>2.000</td>"), std::string::npos);
}

TEST(EvaluationPage, ShowsWhatOperatingPointsPromiseAndDo) {
  evaluation::Report report = some_report();
  EXPECT_EQ(html_of(report).find("Operating points"), std::string::npos);
  evaluation::Outcome outcome;
  outcome.accuracy = {0.9, 0.6, 0.95, 10};
  outcome.average_exit = 1.25;
  outcome.macs_share = 0.625;
  outcome.histogram = {7, 3};
  report.operating_points.push_back(
      {"swift", "entropy", {0.25F, 0.0F}, "at most a lot", outcome, {}, {2, 1}});
  const Page page = evaluation_page(report);
  const auto& bars = chart_of(page, "exits-by-operating-point").option;
  EXPECT_EQ(bars["xAxis"]["data"].dump(), R"(["swift"])");
  EXPECT_EQ(bars["series"][0]["data"].dump(), "[7.0]");
  const std::string html = html_of(report);
  EXPECT_NE(html.find("<td>swift</td><td>90.0 %</td><td>60.0 to 95.0 %</td><td>10.00</td><td>2</td><td>1</td>"
                      "<td>1.25</td><td>62.5 %</td>"),
            std::string::npos);
  EXPECT_NE(html.find("<td>swift</td><td>entropy</td><td>0.25</td><td>at most a lot</td>"),
            std::string::npos);
}

TEST(EvaluationPage, ClassesWithoutClipsHaveNoBar) {
  evaluation::Report report = some_report();
  report.per_class[0] = {};
  const Page page = evaluation_page(report);
  EXPECT_EQ(chart_of(page, "exits-by-class").option["xAxis"]["data"].dump(), R"(["no"])");
}

TEST(EvaluationPage, IsAWholePage) {
  const auto html = evaluation_page(some_report()).html();
  ASSERT_TRUE(html.ok()) << html.error().message;
  EXPECT_EQ(html->rfind("<!doctype html>", 0), 0U);
  EXPECT_NE(html->find("</html>"), std::string::npos);
}

}  // namespace
}  // namespace bittern::report
