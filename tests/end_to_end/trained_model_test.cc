// The model that the repository ships, on recordings of people it never heard.
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Json = nlohmann::json;

class TrainedModel : public testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(std::filesystem::exists(model_)) << model_ << " is not there"; }
  const std::string model_ = std::string(BITTERN_SOURCE_DIR) + "/models/quicknet-speech-commands-12.bittern";
};

TEST_F(TrainedModel, RecognisesTheSamples) {
  const Finished finished = bittern({"evaluate", model_, "--data", kSamples, "--json", "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  ASSERT_EQ(json["labels"], Json(kWords));
  // docs/results has the accuracies of the whole test split; of 36 clips these bounds leave room for chance.
  EXPECT_GE(json["exits"][0]["accuracy"]["value"], 0.65);
  double best = 0;
  for (const Json& exit : json["exits"]) best = std::max(best, exit["accuracy"]["value"].get<double>());
  EXPECT_GE(best, 0.75);
}

TEST_F(TrainedModel, LeavesEasyClipsEarly) {
  const Finished finished = bittern({"evaluate", model_, "--data", kSamples, "--json", "-"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  for (const Json& rule : json["rules"]) {
    if (rule["rule"] != "entropy" || rule["threshold"] != 0.5) continue;
    EXPECT_LT(rule["average_exit"], 3);
    EXPECT_LT(rule["macs_share"], 0.75);
  }
}

TEST_F(TrainedModel, ComputesWhatTheTrainerComputed) {
  const Finished finished = bittern({"inspect", model_, "--self-test"});
  EXPECT_EQ(finished.status, 0) << finished.err;
}

}  // namespace
}  // namespace bittern::test
