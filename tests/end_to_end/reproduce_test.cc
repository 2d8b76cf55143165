// A small experiment from recordings to its report, and the ways in which it must not be taken for another.
#include <algorithm>
#include <fstream>

#include "core/folder_lock.h"
#include "end_to_end/command_line.h"
#include "end_to_end/tones.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

class Reproduce : public ToneTraining {
 protected:
  static Json experiment() {
    return {{"title", "Trial"},
            {"tasks", {{{"name", "tones"}, {"data", "data"}, {"paper", "Speech Commands"}}}},
            {"networks", {{{"architecture", "bittern-tiny"}, {"seeds", {0}}}}},
            {"single_exits", false},
            {"thresholds", {0.1, 0.5}},
            {"train", {{"epochs", 1}, {"batch", 8}}}};
  }
  void write_experiment(const Json& json) const { write_bytes(folder_ / "trial.json", json.dump()); }
  Finished reproduce(std::vector<std::string> more) const {
    std::vector<std::string> list{"reproduce", "--config",  path("trial.json"),
                                  "--out",     path("out"), "--quiet"};
    list.insert(list.end(), more.begin(), more.end());
    return bittern(list);
  }
  Finished collect() const { return reproduce({"--data", folder_.path().string(), "--collect"}); }
  Json results() const { return Json::parse(read_bytes(folder_ / "out/results.json")); }
  void change_results(const std::function<void(Json&)>& change) const {
    Json json = results();
    change(json);
    write_bytes(folder_ / "out/results.json", json.dump());
  }
  void train() const {
    write_experiment(experiment());
    const Finished trained = reproduce({"--data", folder_.path().string(), "--jobs", "1"});
    ASSERT_EQ(trained.status, 0) << trained.err;
  }
};

#ifdef BITTERN_HAS_REPORTS

TEST_F(Reproduce, TrainsMeasuresAndReports) {
  train();
  const Json json = results();
  EXPECT_EQ(json["finished"], 1);
  EXPECT_EQ(json["planned"], 1);
  EXPECT_FALSE(json.contains("thresholds")) << "they are among the conditions";
  EXPECT_EQ(json["conditions"]["thresholds"], Json({0.1, 0.5}));
  EXPECT_EQ(json["recipe"]["batch"], 8);
  EXPECT_FALSE(json["recipe"].contains("seed"));
  EXPECT_NE(json["machine"]["instruction_set"], "");
  EXPECT_EQ(json["tasks"][0]["clips"], 16);
  EXPECT_EQ(json["tasks"][0]["train_clips"], 16);
  const Json& network = json["networks"][0];
  EXPECT_GT(network["front_end_us"], 0);
  EXPECT_EQ(network["exits"].size(), 4U);
  for (const Json& exit : network["exits"]) {
    EXPECT_GT(exit["time_us"], 0);
    EXPECT_GT(exit["macs_int8"], 0) << "bittern-tiny's first convolution";
  }
  ASSERT_EQ(json["runs"].size(), 1U);
  const Json& run = json["runs"][0];
  for (const char* key : {"data_digest", "precision", "tool_version"}) EXPECT_NE(run[key], "") << key;
  EXPECT_EQ(run["exits"].size(), 4U);
  EXPECT_EQ(run["rules"].size(), 2U);
  EXPECT_EQ(run["clips"].size(), 16U);
  for (const Json& exit : run["exits"]) {
    EXPECT_LE(exit["accuracy"]["low"], exit["accuracy"]["value"]);
    EXPECT_LE(exit["accuracy"]["value"], exit["accuracy"]["high"]);
  }
  for (const Json& rule : run["rules"]) {
    int clips = 0;
    for (const Json& count : rule["histogram"]) clips += count.get<int>();
    EXPECT_EQ(clips, 16);
  }
  for (const char* figure :
       {"figure-2-tones", "figure-3-tones-bittern-tiny", "figure-4-tones", "figure-5-tones-bittern-tiny"})
    for (const char* ending : {".json", ".svg"})
      EXPECT_TRUE(fs::exists(folder_ / "out/figures" / (std::string(figure) + ending))) << figure << ending;
  const std::string html = read_bytes(folder_ / "out/report.html");
  EXPECT_NE(html.find("data:audio/wav;base64,"), std::string::npos) << "the hardest clips can be heard";
  EXPECT_NE(html.find("50 % of their loss is to answer as it does"), std::string::npos) << "what differs";
}

// The record alone is enough, also without the recordings.
TEST_F(Reproduce, GoesOnFromItsResultsAlone) {
  train();
  const Json runs = results()["runs"];
  fs::remove_all(folder_ / "out/runs");
  const Finished again = collect();
  ASSERT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(results()["runs"], runs);
  EXPECT_GT(results()["networks"][0]["front_end_us"], 0);
  const Finished whole = reproduce({"--data", folder_.path().string(), "--jobs", "1"});
  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_FALSE(fs::exists(folder_ / "out/runs/tones/bittern-tiny/joint/seed-0/best.bittern"))
      << "none trained again";
  const Finished elsewhere = reproduce({"--data", path("nowhere"), "--collect"});
  ASSERT_EQ(elsewhere.status, 0) << elsewhere.err;
  EXPECT_EQ(results()["runs"], runs);
}

// An older build's record has no digest.
TEST_F(Reproduce, TakesAnOlderRecord) {
  train();
  fs::remove_all(folder_ / "out/runs");
  change_results([](Json& json) {
    json["thresholds"] = json["conditions"]["thresholds"];
    for (const char* key : {"recipe", "machine"}) json.erase(key);
    for (const char* key : {"data_digest", "precision", "tool_version"}) json["runs"][0].erase(key);
    for (const char* key : {"train_clips", "validation_clips"}) json["tasks"][0].erase(key);
  });
  const Finished old = collect();
  ASSERT_EQ(old.status, 0) << old.err;
  EXPECT_EQ(results()["finished"], 1);
}

// What taught is part of what a training is.
TEST_F(Reproduce, GoesOnWithTeachers) {
  train();
  const fs::path teacher = folder_ / "teacher.bittern";
  fs::rename(folder_ / "out/runs/tones/bittern-tiny/joint/seed-0/best.bittern", teacher);
  fs::remove_all(folder_ / "out");
  Json taught = experiment();
  taught["train"]["teacher"] = {teacher.string()};
  taught["train"]["taught-exits"] = "last";
  write_experiment(taught);
  const Finished trained = reproduce({"--data", folder_.path().string(), "--jobs", "1"});
  ASSERT_EQ(trained.status, 0) << trained.err;
  const Finished again = collect();
  EXPECT_EQ(again.status, 0) << again.err;
  EXPECT_EQ(results()["recipe"]["teachers"][0]["file"], "teacher.bittern");
  EXPECT_NE(read_bytes(folder_ / "out/report.html").find("taught the last exit, and it the earlier ones"),
            std::string::npos);
  write_bytes(teacher, "another");
  expect_failure(collect(), "was trained with teachers.0.checksum");
}

TEST_F(Reproduce, RefusesRunsOfOtherOptionsOrData) {
  train();
  Json other = experiment();
  other["train"]["learning-rate"] = 0.001;
  write_experiment(other);
  expect_failure(collect(),
                 "tones/bittern-tiny/joint/seed-0: was trained with learning_rate 0.004, not 0.001");
  fs::remove_all(folder_ / "out/runs");
  expect_failure(collect(), "of an experiment with train.learning-rate none, not 0.001");
  write_experiment(experiment());
  write_bytes(folder_ / "data/train/low/more.wav", read_bytes(folder_ / "data/train/low/s0_1.wav"));
  expect_failure(collect(), "tones/bittern-tiny/joint/seed-0 was trained on other recordings");
}

TEST_F(Reproduce, RefusesResultsOfOtherDefaults) {
  train();
  fs::remove_all(folder_ / "out/runs");
  change_results([](Json& json) { json["recipe"]["batch"] = 16; });
  expect_failure(collect(), "whose folder is gone, of an experiment with batch 16, not 8");
}

TEST_F(Reproduce, TrainsAloneInItsFolder) {
  write_experiment(experiment());
  fs::create_directories(folder_ / "out");
  const auto held = lock_folder(folder_ / "out", "bittern reproduce");
  ASSERT_TRUE(held.ok());
  expect_failure(reproduce({"--data", folder_.path().string(), "--jobs", "1"}),
                 "out: another bittern reproduce is at work there");
  EXPECT_EQ(collect().status, 0) << "which trains nothing";
}

TEST_F(Reproduce, ReadsNoFileThatIsNoClip) {
  train();
  fs::remove_all(folder_ / "out/runs");
  write_bytes(folder_ / "secret.wav", "RIFFsecret");
  change_results(
      [&](Json& json) { json["runs"][0]["clips"][0]["file"] = (folder_ / "secret.wav").string(); });
  expect_failure(collect(), "'file' must lie below the task's folder");
  change_results([](Json& json) { json["runs"][0]["clips"][0]["file"] = "../secret.wav"; });
  expect_failure(collect(), "'file' must lie below the task's folder");
  // A file that lies there and is no test clip is not read either.
  write_bytes(folder_ / "data/notes.wav", "RIFFsecret");
  change_results([](Json& json) { json["runs"][0]["clips"][0]["file"] = "notes.wav"; });
  const Finished collected = collect();
  ASSERT_EQ(collected.status, 0) << collected.err;
  EXPECT_EQ(read_bytes(folder_ / "out/report.html").find("UklGRnNlY3JldA=="), std::string::npos);
}

TEST_F(Reproduce, MistakesAreOneLine) {
  write_experiment(experiment());
  expect_failure(reproduce({"--data", path("nowhere"), "--dry-run"}), "say with --data DIR");
  Json json = experiment();
  json["train"]["learning-rat"] = 0.1;
  write_experiment(json);
  expect_failure(reproduce({"--data", folder_.path().string(), "--dry-run"}), "learning-rat");
  json = experiment();
  json["thresholds"] = {0.1};
  write_experiment(json);
  expect_failure(reproduce({"--data", folder_.path().string(), "--dry-run"}), "must hold 0.5");
}

#endif

}  // namespace
}  // namespace bittern::test
