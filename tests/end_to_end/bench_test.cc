// bittern bench: what it prints; how fast things are is for people to read.
#include "core/isa.h"
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Json = nlohmann::json;
using Bench = CommandLine;

TEST_F(Bench, GivesTimesAndFloorsOfEveryExitAndStep) {
  const Finished finished = bittern({"bench", model_, "--runs", "3", "--steps", "--json"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  EXPECT_EQ(json["model"], model_);
  EXPECT_EQ(json["runs"], 3);
  for (const char* key : {"median", "p90", "p99"}) EXPECT_GT(json["front_end"]["time_us"][key], 0) << key;
  ASSERT_EQ(json["exits"].size(), 3U);
  const Json inspected = Json::parse(bittern({"inspect", model_, "--json"}).out);
  double before = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    const Json& exit = json["exits"][i];
    for (const char* key : {"exit", "layer", "macs_binary", "macs_float"})
      EXPECT_EQ(exit[key], inspected["exits"][i][key]) << key;
    for (const char* key : {"floor_us", "floor_share", "stage_us", "decide_us"})
      EXPECT_GT(exit[key], 0) << key;
    EXPECT_GT(exit["time_us"]["median"], before);
    before = exit["time_us"]["median"];
  }
  EXPECT_GT(json["steps"].size(), 3U);
  for (const Json& step : json["steps"]) EXPECT_GE(step["share"], 0);
}

TEST_F(Bench, MeasuresAnArchitectureWithoutAModelOnEveryInstructionSet) {
  for (const Isa isa : available_isas()) {
    const std::string set(name(isa));
    const Finished finished =
        bittern({"bench", "--architecture", "quicknet-small", "--classes", "3", "--runs", "2", "--isa", set});
    ASSERT_EQ(finished.status, 0) << finished.err;
    EXPECT_NE(finished.out.find(", " + set + ", 2 runs"), std::string::npos) << finished.out;
    for (const char* word : {"front end", "s1.b4", "share of floor"})
      EXPECT_NE(finished.out.find(word), std::string::npos) << word;
  }
}

TEST_F(Bench, RefusesWhatCannotBeMeasured) {
  expect_wrong_usage(bittern({"bench"}), "MODEL, or --architecture");
  expect_wrong_usage(bittern({"bench", model_, "--architecture", "quicknet"}), "--architecture");
  expect_wrong_usage(bittern({"bench", model_, "--runs", "0"}), "--runs");
  expect_wrong_usage(bittern({"bench", model_, "--isa", "mmx"}), "'mmx'");
  expect_wrong_usage(bittern({"bench", "--architecture", "quicknet", "--placement", "nowhere"}), "nowhere");
  expect_failure(bittern({"bench", path("none.bittern")}), "none.bittern");
}

}  // namespace
}  // namespace bittern::test
