#include "report/reproduction_page.h"

#include <gtest/gtest.h>

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

Json proportion(double value) {
  return {{"value", value}, {"low", value - 0.05}, {"high", value + 0.03}, {"clips", 4}};
}

Json joint_run(int seed, double accuracy) {
  return {{"task", "words"},
          {"architecture", "quicknet"},
          {"single_exit", 0},
          {"seed", seed},
          {"exits",
           {{{"exit", 1}, {"accuracy", proportion(accuracy - 0.1)}},
            {{"exit", 2}, {"accuracy", proportion(accuracy)}}}},
          {"rules",
           {{{"threshold", 0.5},
             {"accuracy", proportion(accuracy)},
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
          {"single_exits", true},
          {"conditions", {{"train", {{"epochs", 2}, {"distillation", 0.25}}}, {"thresholds", {0.5}}}},
          {"recipe",
           {{"exit_pool", "time"},
            {"batch", 64},
            {"learning_rate", 0.004},
            {"schedule", "cosine"},
            {"loss", {{"distillation", 0.5}}},
            {"augment", {{"noise_probability", 0.8}, {"shift_ms", 0}}}}},
          {"machine", {{"processor", "Some CPU"}, {"instruction_set", "avx2"}, {"runs", 20}}},
          {"finished", 3},
          {"planned", 4},
          {"tasks",
           {{{"name", "words"},
             {"paper", "Speech Commands"},
             {"labels", {"no", "yes"}},
             {"clips", 4},
             {"speakers", 2},
             {"train_clips", 12345},
             {"validation_clips", 6}}}},
          {"networks",
           {{{"architecture", "quicknet"},
             {"paper", "QuickNet"},
             {"parameters", 1'500'000},
             {"packed_mib", 0.2},
             {"float32_mib", 6.0},
             {"front_end_us", 70.0},
             {"exits",
              {{{"exit", 1}, {"layer", "a"}, {"time_us", 250.0}},
               {{"exit", 2}, {"layer", "b"}, {"time_us", 1500.0}}}}}}},
          {"runs",
           {joint_run(0, 0.8),
            joint_run(1, 0.9),
            {{"task", "words"},
             {"architecture", "quicknet"},
             {"single_exit", 2},
             {"seed", 0},
             {"exits", {{{"exit", 2}, {"accuracy", proportion(0.75)}}}}}}}};
}

std::string html_of(const Json& json, const Recording& recording = nullptr) {
  const auto html = reproduction_page(json, recording).html();
  EXPECT_TRUE(html.ok()) << (html.ok() ? "" : html.error().message);
  return html.ok() ? *html : std::string();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ReproductionPage, TablesAreMeansWithIntervalsBesideThePapersNumbers) {
  const std::string html = html_of(results());
  EXPECT_TRUE(has(html,
                  "<td>jointly</td><td>75.0<small>± 7.1\n70.0–78.0</small></td>"
                  "<td>85.0<small>± 7.1\n80.0–88.0</small></td>"));
  EXPECT_TRUE(has(html, "<td>alone</td><td>-</td><td>75.0<small>70.0–78.0</small></td>"))
      << "exit 1 alone was not trained, exit 2 with one seed";
  EXPECT_TRUE(has(html, "paper, alone</td><td class=\"soft\">65.7</td><td class=\"soft\">92.8</td>"));
  EXPECT_TRUE(has(html, "paper, jointly</td><td class=\"soft\">86.3</td>"));
  EXPECT_TRUE(has(html, "<td>70 µs</td><td>250 µs</td><td>1.50 ms</td>")) << "the front end first";
}

// The paper's networks have five exits, these two.
TEST(ReproductionPage, HeadsEveryColumn) {
  const std::string html = html_of(results());
  const auto count = [](const std::string& text, const std::string& part) {
    std::size_t found = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++found;
    return found;
  };
  std::size_t tables = 0;
  for (std::size_t at = html.find("<table>"); at != std::string::npos; at = html.find("<table>", at + 1)) {
    const std::string table = html.substr(at, html.find("</table>", at) - at);
    EXPECT_EQ(count(table, "<td"), count(table, "<th>") * (count(table, "<tr>") - 1)) << table;
    ++tables;
  }
  EXPECT_GE(tables, 2U);
}

TEST(ReproductionPage, MarksWhatCannotBeRightInThePaper) {
  Json json = results();
  EXPECT_FALSE(has(html_of(json), "†"));
  json["networks"][0]["paper"] = "BinaryDenseNet";
  const std::string html = html_of(json);
  EXPECT_TRUE(has(html, "<td class=\"soft\">42.63 †</td>"));
  EXPECT_TRUE(has(html, "<td class=\"soft\">6.71 ms †</td><td class=\"soft\">6.14 ms</td>"));
  EXPECT_TRUE(has(html, "† As printed in the paper"));
  EXPECT_TRUE(has(html, "with a float head"));
}

TEST(ReproductionPage, SaysWhatWasRunAndWhatDiffers) {
  Json json = results();
  const std::string html = html_of(json);
  EXPECT_TRUE(has(html, "one core of Some CPU with the kernels for avx2"));
  EXPECT_TRUE(has(html, "12,345 training, 6 validation and 4 test clips"));
  EXPECT_TRUE(has(html, "50 % of their loss is to answer as it does")) << "the recipe's, not the file's";
  EXPECT_TRUE(has(html, "not joint training only"));
  EXPECT_TRUE(
      has(html, "2 epochs, batches of 64, learning rate 0.004 falling to 0 along a cosine (the paper: 100"));
  EXPECT_TRUE(has(html, "highest mean over its exits"));
  EXPECT_TRUE(has(html, "average over time only"));
  EXPECT_TRUE(has(html, "background noise (80 % of them);"));
  EXPECT_TRUE(has(html, "most frequent class would be right in 50.0 %"));
  json.erase("recipe");
  EXPECT_TRUE(has(html_of(json), "25 % of their loss"))
      << "of results without a recipe the experiment's options";
  json["conditions"]["train"]["distillation"] = 0;
  EXPECT_FALSE(has(html_of(json), "Teacher."));
}

TEST(ReproductionPage, FiguresShowTheRuns) {
  const Page page = reproduction_page(results(), nullptr);
  std::vector<std::string> names;
  for (const Chart& chart : page.charts()) names.push_back(chart.name);
  EXPECT_EQ(names, (std::vector<std::string>{"figure-2-words", "figure-3-words-quicknet", "figure-4-words",
                                             "figure-5-words-quicknet"}));
  const auto& accuracies = page.charts()[0].option["series"];
  ASSERT_EQ(accuracies.size(), 2U) << "strokes, and the line";
  EXPECT_NEAR(accuracies[0]["data"][0][1].get<double>(), 80, 1e-9);
  EXPECT_NEAR(accuracies[0]["data"][1][1].get<double>(), 88, 1e-9);
  const auto& series = page.charts()[2].option["series"];
  ASSERT_EQ(series.size(), 4U) << "the network, and the dashed line of its last exit alone, with strokes";
  EXPECT_EQ(series[2]["data"].dump(), "[[2.0,75.0],[1.0,75.0]]");
  EXPECT_EQ(series[2]["lineStyle"]["type"], "dashed");
  EXPECT_EQ(series[2]["color"], series[0]["color"]);
  ASSERT_EQ(series[3]["data"].size(), 3U) << "one stroke";
  EXPECT_NEAR(series[3]["data"][0][1].get<double>(), 70, 1e-9);
  EXPECT_NEAR(series[3]["data"][1][1].get<double>(), 78, 1e-9);
}

TEST(ReproductionPage, CaptionsTellWhatThePaperFound) {
  const std::string html = html_of(results());
  EXPECT_TRUE(has(html, "(its figure 2) finds that thresholds from 0.6 to 0.8 serve best; that all four"));
  EXPECT_TRUE(has(html, "such lines stand at QuickNet 94.4 %"));
  EXPECT_TRUE(has(html, "shows this of VoxForge only"));
}

TEST(ReproductionPage, SpeaksOfNetworksAloneOnlyWhereThereAreAny) {
  Json json = results();
  EXPECT_TRUE(has(html_of(json), "networks trained alone"));
  json["single_exits"] = false;
  json["runs"].erase(2);
  json["finished"] = 2;
  const std::string html = html_of(json);
  for (const char* word : {">alone<", "alone:", "trained alone", "Alone:", "one exit alone", "Dashed"})
    EXPECT_FALSE(has(html, word)) << word;
  EXPECT_TRUE(has(html, "<td>quicknet</td><td>jointly</td>"));
}

TEST(ReproductionPage, FiguresTellNetworkAndTask) {
  const Page page = reproduction_page(results(), nullptr);
  for (const Chart& chart : page.charts()) {
    EXPECT_TRUE(has(chart.title, "words")) << chart.title;
    if (has(chart.name, "quicknet")) {
      EXPECT_TRUE(has(chart.title, "quicknet")) << chart.title;
    }
  }
}

TEST(ReproductionPage, OneIsSingular) {
  Json json = results();
  json["epochs"] = 1;
  json["planned"] = 1;
  EXPECT_TRUE(has(html_of(json), "of 1 training, 1 epoch each"));
}

TEST(ReproductionPage, HardClipsCanBeHeard) {
  const std::string html = html_of(results(), [](const std::string& task, const std::string& file) {
    return task == "words" && file == "a.flac" ? std::pair<std::string, std::string>("abcd", "audio/flac")
                                               : std::pair<std::string, std::string>();
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
