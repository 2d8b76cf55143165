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

TEST_F(Bench, FootprintTellsWhatAModelTakesBesideItsAnswers) {
  const Finished finished = bittern({"bench", model_, "--footprint", "--runs", "3", "--json"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  EXPECT_EQ(json["model"], model_);
  EXPECT_EQ(json["runs"], 3);
  EXPECT_EQ(json["model_bytes"], std::filesystem::file_size(model_));
  for (const char* key : {"open_us", "plan_us", "load_us", "first_answer_us"})
    for (const char* quantile : {"median", "p90", "p99"}) EXPECT_GT(json[key][quantile], 0) << key;
  EXPECT_GT(json["arena_bytes"], 0);
  const Finished text = bittern({"bench", model_, "--footprint", "--runs", "1"});
  EXPECT_EQ(text.status, 0) << text.err;
  for (const char* line : {"load and plan", "first answer", "working memory", "library in a C program"})
    EXPECT_NE(text.out.find(line), std::string::npos) << line;
  expect_wrong_usage(bittern({"bench", model_, "--footprint", "--steps"}), "--steps");
}

// What the project promises; where this build or machine can tell. Times are for people to read.
TEST_F(Bench, FootprintsStayWithinTheirBudgets) {
  for (const char* name : {"quicknet", "birealnet-18", "binarydensenet-28", "meliusnet-22"}) {
    const Finished finished =
        bittern({"bench", "--architecture", name, "--footprint", "--runs", "1", "--json"});
    ASSERT_EQ(finished.status, 0) << finished.err;
    const Json json = Json::parse(finished.out);
    const std::size_t most = name == std::string("quicknet") ? 512 * 1024 : 1024 * 1024;
    EXPECT_LE(json["arena_bytes"], most) << name;
    if (!json["memory_bytes"].is_null()) {
      EXPECT_LE(json["memory_bytes"], most) << name;
      EXPECT_GE(json["memory_bytes"], json["arena_bytes"]) << name;
    }
    if (!json["library_bytes"].is_null()) {
      EXPECT_LE(json["library_bytes"], 600 * 1024);
      EXPECT_LT(json["library_bytes"], json["library_with_cxx_runtime_bytes"]);
    }
  }
}

TEST_F(Bench, TheMinimalProgramAnswersAsTheCommandLineDoes) {
  std::vector<int> values;
  for (const float x : tone(16000, 700)) values.push_back(static_cast<int>(x * 32767));
  write_bytes(path("tone.pcm"), pcm16(values));
  const Json expected = Json::parse(bittern({"classify", model_, path("tone.pcm"), "--raw", "--json"}).out);
  const Finished minimal = run({.arguments = {BITTERN_MINIMAL, model_}, .input = path("tone.pcm")});
  ASSERT_EQ(minimal.status, 0) << minimal.err;
  const std::string label = minimal.out.substr(0, minimal.out.find(' '));
  EXPECT_EQ(label, expected["label"]);
  EXPECT_EQ(run({.arguments = {BITTERN_MINIMAL, path("none")}}).status, 1);
}

}  // namespace
}  // namespace bittern::test
