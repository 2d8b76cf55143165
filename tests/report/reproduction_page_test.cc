#include "report/reproduction_page.h"

#include <gtest/gtest.h>

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

Json joint_run(int seed, double accuracy) {
  return {{"task", "words"},
          {"architecture", "quicknet"},
          {"single_exit", 0},
          {"seed", seed},
          {"exits",
           {{{"exit", 1}, {"accuracy", {{"value", accuracy - 0.1}}}},
            {{"exit", 2}, {"accuracy", {{"value", accuracy}}}}}},
          {"rules",
           {{{"threshold", 0.5},
             {"accuracy", {{"value", accuracy}}},
             {"average_exit", 1.5},
             {"histogram", {2, 2}},
             {"histogram_per_class", {{2, 0}, {0, 2}}}}}},
          {"clips",
           {{{"file", "a.flac"}, {"truth", "no"}, {"answers", {"no", "yes"}}, {"entropies", {0.4, 0.2}}},
            {{"file", "b.flac"}, {"truth", "yes"}, {"answers", {"yes", "yes"}}, {"entropies", {0.1, 0.1}}}}}};
}

Json results() {
  return {{"title", "Trial"},
          {"epochs", 2},
          {"placement", "paper"},
          {"thresholds", {0.5}},
          {"finished", 3},
          {"planned", 4},
          {"tasks",
           {{{"name", "words"},
             {"paper", "Speech Commands"},
             {"labels", {"no", "yes"}},
             {"clips", 4},
             {"speakers", 2}}}},
          {"networks",
           {{{"architecture", "quicknet"},
             {"paper", "QuickNet"},
             {"parameters", 1'500'000},
             {"packed_mib", 0.2},
             {"float32_mib", 6.0},
             {"exits",
              {{{"exit", 1}, {"layer", "a"}, {"time_us", 250.0}},
               {{"exit", 2}, {"layer", "b"}, {"time_us", 500.0}}}}}}},
          {"runs",
           {joint_run(0, 0.8),
            joint_run(1, 0.9),
            {{"task", "words"},
             {"architecture", "quicknet"},
             {"single_exit", 2},
             {"seed", 0},
             {"exits", {{{"exit", 2}, {"accuracy", {{"value", 0.75}}}}}}}}}};
}

std::string html_of(const Json& json, const Recording& recording = nullptr) {
  const auto html = reproduction_page(json, recording).html();
  EXPECT_TRUE(html.ok()) << (html.ok() ? "" : html.error().message);
  return html.ok() ? *html : std::string();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ReproductionPage, TablesAreMeansBesideThePapersNumbers) {
  const std::string html = html_of(results());
  EXPECT_TRUE(has(html, "<td>75.0 ± 7.1</td>")) << "exit 1 jointly: 70 and 80";
  EXPECT_TRUE(has(html, "<td>75.0</td><td>85.0 ± 7.1</td>")) << "exit 2 alone, and jointly";
  EXPECT_TRUE(has(html, "<td>-</td><td>75.0 ± 7.1</td>")) << "exit 1 alone was not trained";
  EXPECT_TRUE(has(html, "<td>65.7</td><td>86.3</td>")) << "the paper's exit 1";
  EXPECT_TRUE(has(html, "<td>0.25</td><td>0.50</td>")) << "milliseconds";
}

TEST(ReproductionPage, FiguresShowTheRuns) {
  const Page page = reproduction_page(results(), nullptr);
  std::vector<std::string> names;
  for (const Chart& chart : page.charts()) names.push_back(chart.name);
  EXPECT_EQ(names, (std::vector<std::string>{"figure-2-words", "figure-3-words-quicknet", "figure-4-words",
                                             "figure-5-words-quicknet"}));
  const auto& series = page.charts()[2].option["series"];
  ASSERT_EQ(series.size(), 2U) << "the network, and the dashed line of its last exit alone";
  EXPECT_EQ(series[1]["data"].dump(), "[[1.0,75.0],[2.0,75.0]]");
}

TEST(ReproductionPage, HardClipsCanBeHeard) {
  const std::string html = html_of(results(), [](const std::string& task, const std::string& file) {
    return task == "words" && file == "a.flac" ? std::string("abcd") : std::string();
  });
  EXPECT_TRUE(has(html, "src=\"data:audio/flac;base64,YWJjZA==\""));
  EXPECT_TRUE(has(html, "<td>b.flac</td>")) << "one that is not to be had is named";
  EXPECT_TRUE(has(html, "quicknet overthinks 1 of 2 clips"));
}

TEST(ReproductionPage, WithoutARunThereIsAPageAllTheSame) {
  Json json = results();
  json["runs"] = Json::array();
  for (Json& exit : json["networks"][0]["exits"]) exit.erase("time_us");
  EXPECT_TRUE(has(html_of(json), "</html>"));
}

}  // namespace
}  // namespace bittern::report
