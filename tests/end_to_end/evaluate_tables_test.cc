// What the tables of `bittern evaluate` hold: of rules and thresholds, of operating points, of --only.
#include <map>
#include <set>

#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Json = nlohmann::json;
using EvaluateTables = CommandLine;

TEST_F(EvaluateTables, TablesShowWhatWasAskedFor) {
  const Finished all = bittern({"evaluate", model_, "--data", kSamples});
  ASSERT_EQ(all.status, 0);
  for (const char* title : {"Each exit alone", "Leaving early", "Each class", "Confusion", "patience"})
    EXPECT_NE(all.out.find(title), std::string::npos) << title;
  const Finished some = bittern({"evaluate", model_, "--data", kSamples, "--tables", "exits,rules", "--rule",
                                 "entropy", "--per-clip", "--timing"});
  ASSERT_EQ(some.status, 0);
  for (const char* title : {"Each class", "Confusion", "patience"})
    EXPECT_EQ(some.out.find(title), std::string::npos) << title;
  for (const char* title : {"Clips, rule entropy, threshold 0.5", "time/us", "median time/us", "truth"})
    EXPECT_NE(some.out.find(title), std::string::npos) << title;
  const Finished none = bittern({"evaluate", model_, "--data", kSamples, "--quiet"});
  EXPECT_EQ(none.status, 0);
  EXPECT_EQ(none.out + none.err, "");
}

TEST_F(EvaluateTables, AThresholdThatIsAskedForHasItsRow) {
  const auto thresholds = [](const Json& json, const char* rule) {
    std::vector<double> found;
    for (const Json& row : json["rules"])
      if (row["rule"] == rule) found.push_back(row["threshold"]);
    return found;
  };
  const Json json = report({"--data", kSamples, "--rule", "margin", "--threshold", "0.3", "--per-clip"});
  EXPECT_EQ(thresholds(json, "margin"), (std::vector<double>{0.2, 0.3, 0.5, 0.7, 0.9, 0.98}));
  EXPECT_EQ(thresholds(json, "entropy").size(), 5U);
  // The row is that of the clips.
  std::vector<std::size_t> left(3);
  std::size_t right = 0;
  for (const Json& clip : json["clips"]) {
    ++left[clip["exit"].get<std::size_t>() - 1];
    if (clip["truth"] == clip["label"]) ++right;
  }
  for (const Json& row : json["rules"]) {
    if (row["rule"] != "margin" || row["threshold"] != 0.3) continue;
    EXPECT_EQ(row["histogram"], Json(left));
    EXPECT_DOUBLE_EQ(row["accuracy"]["value"].get<double>(), static_cast<double>(right) / 36);
  }
  // One of the sweep's is there once.
  EXPECT_EQ(
      thresholds(report({"--data", kSamples, "--rule", "margin", "--threshold", "0.7"}), "margin").size(),
      5U);
  // Where each class's clips leave is shown for it too.
  const Finished classes = bittern({"evaluate", model_, "--data", kSamples, "--tables", "classes", "--rule",
                                    "margin", "--threshold", "0.3"});
  EXPECT_NE(classes.out.find("leaving at each exit by margin 0.3"), std::string::npos) << classes.out;
  for (const Json& row : json["rules"]) {
    if (row["rule"] != "margin" || row["threshold"] != 0.3) continue;
    for (std::size_t c = 0; c < kWords.size(); ++c) {
      std::string cells;
      for (const Json& count : row["histogram_per_class"][c]) cells += " " + count.dump();
      const std::vector<std::string> rows = lines(classes.out);
      EXPECT_TRUE(std::ranges::any_of(rows,
                                      [&](const std::string& line) {
                                        return line.starts_with(kWords[c] + " ") && line.ends_with(cells);
                                      }))
          << kWords[c] << cells << "\n"
          << classes.out;
    }
  }
  const Finished by_exit =
      bittern({"evaluate", model_, "--data", kSamples, "--tables", "classes", "--exit", "2", "--per-clip"});
  EXPECT_EQ(by_exit.out.find("leaving"), std::string::npos) << by_exit.out;
  const Finished table =
      bittern({"evaluate", model_, "--data", kSamples, "--tables", "rules", "--threshold", "0.123"});
  EXPECT_NE(table.out.find(" 0.123 "), std::string::npos) << table.out;
}

// With a threshold of its own at each exit, too, and without --per-clip.
TEST_F(EvaluateTables, AnOperatingPointDecidesWhereClassesLeave) {
  model::Model model = *model_data_;
  model.operating_points = {{"swift", "entropy", {9.0F, 0.25F, 0.0F}, ""},
                            {"mixed", "entropy", {1.6F, 2.0F, 0.0F}, ""}};
  ASSERT_TRUE(model::save(model, model_).ok());
  const auto left = [&](const std::string& name) {
    const Json json = report({"--data", kSamples, "--operating-point", name, "--per-clip"});
    std::map<std::string, std::vector<std::size_t>> counts;
    for (const std::string& word : kWords) counts[word].resize(3);
    for (const Json& clip : json["clips"])
      ++counts[clip["truth"].get<std::string>()][clip["exit"].get<std::size_t>() - 1];
    return counts;
  };
  std::set<std::string> tables;
  for (const char* name : {"swift", "mixed"}) {
    const Finished classes =
        bittern({"evaluate", model_, "--data", kSamples, "--tables", "classes", "--operating-point", name});
    EXPECT_NE(classes.out.find(std::string("leaving at each exit by operating point ") + name),
              std::string::npos)
        << classes.out;
    const std::vector<std::string> rows = lines(classes.out);
    for (const auto& [word, counts] : left(name)) {
      std::string cells;
      for (const std::size_t count : counts) cells += " " + std::to_string(count);
      EXPECT_TRUE(std::ranges::any_of(rows,
                                      [&, first = word + " "](const std::string& line) {
                                        return line.starts_with(first) && line.ends_with(cells);
                                      }))
          << word << cells << "\n"
          << classes.out;
    }
    tables.insert(classes.out.substr(classes.out.find("\n_silence_")));
  }
  EXPECT_EQ(tables.size(), 2U);
}

TEST_F(EvaluateTables, OnlyLeavesOtherClipsOut) {
  const Json json = report({"--data", kSamples, "--only", "yes,no"});
  EXPECT_EQ(json["data"]["clips"], 6);
  EXPECT_EQ(json["data"]["left_out"], 30);
  EXPECT_EQ(json["only"], (Json{"no", "yes"}));
  for (std::size_t truth = 0; truth < kWords.size(); ++truth)
    for (std::size_t answer = 0; answer < kWords.size(); ++answer)
      if (kWords[answer] != "yes" && kWords[answer] != "no") {
        EXPECT_EQ(json["confusion"][truth][answer], 0);
      }
  const Finished printed =
      bittern({"evaluate", model_, "--data", kSamples, "--only", "yes,no", "--tables", "classes,confusion"});
  std::size_t rows = 0;
  for (const std::string& line : lines(printed.out)) {
    for (const std::string& word : kWords)
      if (line.starts_with(word + " ")) {
        EXPECT_TRUE(word == "no" || word == "yes") << line;
        ++rows;
      }
    if (line.starts_with("truth \\ answer")) {
      EXPECT_EQ(line, "truth \\ answer  no  yes");
    }
  }
  EXPECT_EQ(rows, 4U);
}

// Restricted answers are surer: a promise about all labels is not theirs.
TEST_F(EvaluateTables, UnderOnlyNoPromiseIsShown) {
  model::Model model = *model_data_;
  model.operating_points = {{"swift", "entropy", {9.0F, 0.25F, 0.0F}, "all leave at once"}};
  ASSERT_TRUE(model::save(model, model_).ok());
  const Json json = report({"--data", kSamples, "--only", "yes,no"});
  EXPECT_EQ(json["operating_points"][0]["promise"], "none under --only: it was made for all labels");
  EXPECT_EQ(report({"--data", kSamples})["operating_points"][0]["promise"], "all leave at once");
}

}  // namespace
}  // namespace bittern::test
