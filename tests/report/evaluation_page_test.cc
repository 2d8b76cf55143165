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
