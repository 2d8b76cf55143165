#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Json = nlohmann::json;
using Inspect = CommandLine;

TEST_F(Inspect, AModelTellsWhatItIs) {
  const Finished finished = bittern({"inspect", model_, "--json"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  EXPECT_EQ(json["labels"], Json(kWords));
  EXPECT_EQ(json["parameters"]["total"],
            json["parameters"]["binary"].get<int>() + json["parameters"]["float"].get<int>());
  ASSERT_EQ(json["exits"].size(), 3U);
  for (const char* key : {"exit", "layer", "macs_binary", "macs_float", "macs_exit"})
    EXPECT_TRUE(json["exits"][0].contains(key)) << key;
  const Finished text = bittern({"inspect", model_});
  EXPECT_EQ(text.status, 0);
  for (const std::string& word : kWords) EXPECT_NE(text.out.find(word), std::string::npos) << word;
}

TEST_F(Inspect, EveryArchitectureIsDescribedFromItsGraph) {
  for (const char* name : {"quicknet", "quicknet-small", "quicknet-large", "birealnet-18",
                           "binarydensenet-28", "meliusnet-22"}) {
    const Finished finished = bittern({"inspect", "--architecture", name, "--classes", "12", "--json"});
    ASSERT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(Json::parse(finished.out)["exits"].size(), 5U) << name;
  }
}

TEST_F(Inspect, TheSelfTestPassesOnAnUntouchedModel) {
  const Finished finished = bittern({"inspect", model_, "--self-test"});
  EXPECT_EQ(finished.status, 0) << finished.err;
}

TEST_F(Inspect, TheSelfTestNamesTheFirstStageThatDiffers) {
  model::Model other = *model_data_;
  other.self_test->stages[1] ^= 1U;
  ASSERT_TRUE(model::save(other, folder_ / "other.bittern").ok());
  expect_failure(bittern({"inspect", path("other.bittern"), "--self-test"}), "stage 2");
  other = *model_data_;
  other.self_test->features ^= 1U;
  ASSERT_TRUE(model::save(other, folder_ / "other.bittern").ok());
  expect_failure(bittern({"inspect", path("other.bittern"), "--self-test"}), "features");
}

}  // namespace
}  // namespace bittern::test
