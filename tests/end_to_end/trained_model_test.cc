// The models that the repository ships, on recordings of people they never heard.
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Json = nlohmann::json;

// Of models/, those whose names end so.
std::vector<std::string> shipped(const std::string& ending) {
  std::vector<std::string> result;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(BITTERN_SOURCE_DIR) + "/models")) {
    const std::string path = entry.path().string();
    if (path.size() >= ending.size() && path.compare(path.size() - ending.size(), ending.size(), ending) == 0)
      result.push_back(path);
  }
  EXPECT_FALSE(result.empty()) << "no model ends in " << ending;
  return result;
}

constexpr const char* kWordModels = "-speech-commands-12.bittern";

TEST(TrainedModels, RecogniseTheSamples) {
  for (const std::string& model : shipped(kWordModels)) {
    const Finished finished = bittern({"evaluate", model, "--data", kSamples, "--json", "-"});
    ASSERT_EQ(finished.status, 0) << finished.err;
    const Json json = Json::parse(finished.out);
    ASSERT_EQ(json["labels"], Json(kWords));
    // docs/results has the accuracies of the whole test split; of 36 clips these bounds leave room for
    // chance.
    EXPECT_GE(json["exits"][0]["accuracy"]["value"], 0.65) << model;
    double best = 0;
    for (const Json& exit : json["exits"]) best = std::max(best, exit["accuracy"]["value"].get<double>());
    EXPECT_GE(best, 0.75) << model;
  }
}

TEST(TrainedModels, LeaveEasyClipsEarly) {
  for (const std::string& model : shipped(kWordModels)) {
    const Finished finished = bittern({"evaluate", model, "--data", kSamples, "--json", "-"});
    ASSERT_EQ(finished.status, 0) << finished.err;
    const Json json = Json::parse(finished.out);
    int rows = 0;
    for (const Json& rule : json["rules"]) {
      if (rule["rule"] != "entropy" || rule["threshold"] != 0.5) continue;
      ++rows;
      EXPECT_LT(rule["average_exit"], 3) << model;
      // At least half of what the first exit alone would save, and a quarter of all where that is much more.
      const auto first = json["exits"][0]["macs_share"].get<double>();
      EXPECT_LT(rule["macs_share"], (1 + first) / 2) << model;
      if (first < 0.6) {
        EXPECT_LT(rule["macs_share"], 0.75) << model;
      }
    }
    EXPECT_EQ(rows, 1) << model;
  }
}

TEST(TrainedModels, ComputeWhatTheTrainerComputed) {
  for (const std::string& model : shipped(".bittern")) {
    const Finished finished = bittern({"inspect", model, "--self-test"});
    EXPECT_EQ(finished.status, 0) << model << ": " << finished.err;
  }
}

}  // namespace
}  // namespace bittern::test
