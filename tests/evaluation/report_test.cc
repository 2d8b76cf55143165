#include "evaluation/report.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace bittern::evaluation {
namespace {

using Json = nlohmann::ordered_json;

std::vector<std::string> keys(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [key, _] : object.items()) names.push_back(key);
  return names;
}

Report sample_report() {
  Report report;
  report.model = "m.bittern";
  report.labels = {"no", "yes"};
  report.clips = 4;
  report.speakers = 4;
  report.exits.push_back({1, "s1", wilson(3, 4), 0.25, std::nullopt});
  report.exits[0].reliability = {{12, 0.75, wilson(1, 2)}, {15, 1, wilson(2, 2)}};
  Outcome outcome;
  outcome.accuracy = wilson(3, 4);
  outcome.average_exit = 1.5;
  outcome.macs_share = 0.5;
  outcome.histogram = {2, 2};
  outcome.histogram_per_class = {{1, 1}, {1, 1}};
  outcome.confusion = {{2, 1}, {0, 1}};
  report.rules.push_back({"entropy", 0.1F, outcome, std::nullopt});
  report.operating_points.push_back({"fast", "entropy", {0.1F, 0.0F}, "much", outcome, std::nullopt, {3, 1}});
  report.per_class = {wilson(2, 4), wilson(0, 0)};
  report.confusion = {{2, 2}, {0, 0}};
  return report;
}

TEST(ReportJson, HasTheDocumentedKeys) {
  const Json json = to_json(sample_report());
  EXPECT_EQ(keys(json), (std::vector<std::string>{"model", "architecture", "data", "segment", "labels",
                                                  "interval", "calibration_bins", "exits", "rules",
                                                  "operating_points", "per_class", "confusion"}));
  EXPECT_EQ(
      keys(json["exits"][0]),
      (std::vector<std::string>{"exit", "layer", "accuracy", "macs_share", "temperature", "ece",
                                "ece_at_temperature_1", "reliability", "reliability_at_temperature_1"}));
  EXPECT_EQ(json["calibration_bins"], kCalibrationBins);
  ASSERT_EQ(json["exits"][0]["reliability"].size(), 2U);
  const Json& bin = json["exits"][0]["reliability"][0];
  EXPECT_EQ(keys(bin), (std::vector<std::string>{"bin", "mean_probability", "accuracy"}));
  EXPECT_EQ(bin["bin"], 12);
  EXPECT_EQ(bin["accuracy"], to_json(wilson(1, 2)));
  EXPECT_TRUE(json["exits"][0]["reliability_at_temperature_1"].empty());
  EXPECT_EQ(keys(json["rules"][0]),
            (std::vector<std::string>{"rule", "threshold", "accuracy", "average_exit", "macs_share",
                                      "histogram", "histogram_per_class", "confusion"}));
  EXPECT_EQ(
      keys(json["operating_points"][0]),
      (std::vector<std::string>{"name", "rule", "thresholds", "promise", "accuracy", "average_exit",
                                "macs_share", "histogram", "accuracy_loss", "clips_lost", "clips_won"}));
  EXPECT_EQ(json["operating_points"][0]["accuracy_loss"], 0.5);
  EXPECT_EQ(json["operating_points"][0]["clips_lost"], 3);
  EXPECT_EQ(json["operating_points"][0]["clips_won"], 1);
  EXPECT_EQ(json["operating_points"][0]["thresholds"].dump(), "[0.1,0.0]");
  EXPECT_EQ(keys(json["exits"][0]["accuracy"]), (std::vector<std::string>{"value", "low", "high", "clips"}));
  EXPECT_EQ(keys(json["per_class"][0]), (std::vector<std::string>{"label", "accuracy"}));
  EXPECT_EQ(json["confusion"], (Json{{2, 2}, {0, 0}}));
}

TEST(ReportJson, KeepsRowsOfNumbersOnALineAndTextAsItIs) {
  Report report = sample_report();
  report.labels = {"[1,\n 2]", "a \\ \" [3, 4]", "ends in \\"};
  report.policy = "{\"a\": 1,\n \"b\": {}}";
  report.clip_rows.push_back({"{[: ", "no", "yes", 1, 0.5F, 0.25, 3.0});
  const std::string text = json_text(report);
  EXPECT_EQ(Json::parse(text), to_json(report));
  EXPECT_NE(text.find("\"histogram\": [2, 2],\n"), std::string::npos) << text;
  EXPECT_NE(text.find("        [2, 1],\n        [0, 1]\n"), std::string::npos) << text;
  EXPECT_NE(text.find("\n        {\"bin\": 12, \"mean_probability\": 0.75, \"accuracy\": {\"value\": 0.5, "),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("\"accuracy\": {\"value\": null, \"low\": 0.0, \"high\": 1.0, \"clips\": 0}\n"),
            std::string::npos)
      << text;
}

TEST(ReportJson, FloatsPrintAsTheyWereGiven) {
  EXPECT_EQ(to_json(sample_report())["rules"][0]["threshold"].dump(), "0.1");
}

TEST(ReportJson, AClassWithoutClipsHasNoValue) {
  const Json json = to_json(sample_report())["per_class"][1]["accuracy"];
  EXPECT_TRUE(json["value"].is_null());
  EXPECT_EQ(json["clips"], 0);
}

TEST(ReportJson, TimesAndClipsAppearWhereTheyWereTaken) {
  Report report = sample_report();
  report.exits[0].time_us = 12.5;
  report.policy = "exit 1";
  report.clip_rows.push_back({"a.wav", "no", "yes", 1, 0.5F, 0.25, 3.0, "ann"});
  report.clip_rows.push_back({"b.wav", "no", "yes", 1, 0.5F, 0.25, 3.0});
  const Json json = to_json(report);
  EXPECT_EQ(json["exits"][0]["time_us"], 12.5);
  EXPECT_EQ(json["policy"], "exit 1");
  EXPECT_EQ(keys(json["clips"][0]), (std::vector<std::string>{"file", "truth", "label", "exit", "entropy",
                                                              "macs_share", "speaker", "time_us"}));
  EXPECT_EQ(json["clips"][0]["speaker"], "ann");
  EXPECT_TRUE(json["clips"][1]["speaker"].is_null());
}

TEST(ReportJson, ANameThatIsNotUtf8DoesNotStopIt) {
  Report report = sample_report();
  report.data = "caf\xE9";
  const std::string text = json_text(report);
  EXPECT_EQ(text.back(), '\n');
  EXPECT_TRUE(Json::accept(text));
}

}  // namespace
}  // namespace bittern::evaluation
