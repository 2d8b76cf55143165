#include <set>

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

TEST_F(Inspect, TheSelfTestsOutcomeIsInTheJson) {
  const auto outcome = [](const Finished& finished) { return Json::parse(finished.out)["self_test"]; };
  EXPECT_EQ(outcome(bittern({"inspect", model_, "--json"})), (Json{{"result", "stored"}}));
  EXPECT_EQ(outcome(bittern({"inspect", model_, "--json", "--self-test"})), (Json{{"result", "passed"}}));
  model::Model other = *model_data_;
  other.self_test->logits ^= 1U;
  ASSERT_TRUE(model::save(other, folder_ / "other.bittern").ok());
  const Finished failed = bittern({"inspect", path("other.bittern"), "--json", "--self-test"});
  expect_failure(failed, "logits");
  EXPECT_EQ(outcome(failed)["result"], "failed");
  other.self_test.reset();
  ASSERT_TRUE(model::save(other, folder_ / "other.bittern").ok());
  const Finished absent = bittern({"inspect", path("other.bittern"), "--json", "--self-test"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_EQ(outcome(absent)["result"], "absent");
  EXPECT_EQ(bittern({"inspect", path("other.bittern")}).status, 0);
}

TEST_F(Inspect, AModelsOtherPartsAreTold) {
  model::Model other = *model_data_;
  other.temperatures.assign(3, 1.25F);
  other.operating_points = {{"fast", "entropy", {0.1F, 0.2F, 0.3F}, "half the work"}};
  other.provenance.recipe =
      R"({"epochs": 30, "bop": {"gamma": 5e-06, "schedule": "co\nsine"}, "weights": []})";
  other.provenance.metrics = "not JSON";
  other.provenance.placement = "balanced";
  other.provenance.license = "CC-BY-4.0";
  other.provenance.seed = 1234567890123456789U;
  ASSERT_TRUE(model::save(other, folder_ / "other.bittern").ok());

  const Json json = Json::parse(bittern({"inspect", path("other.bittern"), "--json"}).out);
  EXPECT_EQ(json["file_bytes"], std::filesystem::file_size(folder_ / "other.bittern"));
  EXPECT_EQ(json["placement"], "balanced");
  EXPECT_EQ(json["exits"][2]["temperature"], 1.25);
  EXPECT_EQ(json["front_end"]["sample_rate_hz"], 16000);
  EXPECT_EQ(json["front_end"]["offset"], 1e-6);
  EXPECT_EQ(json["operating_points"], Json::parse(R"([{"name": "fast", "rule": "entropy",
      "thresholds": [0.1, 0.2, 0.3], "promise": "half the work"}])"));
  EXPECT_EQ(json["provenance"]["recipe"], Json::parse(other.provenance.recipe));
  EXPECT_EQ(json["provenance"]["metrics"], "not JSON");
  EXPECT_EQ(json["provenance"]["seed"], 1234567890123456789U);

  const std::string text = bittern({"inspect", path("other.bittern")}).out;
  for (const char* part : {"balanced", "16000 Hz", "0.1, 0.2, 0.3", "half the work", "CC-BY-4.0", "1.25",
                           "1234567890123456789", "\nrecipe        epochs            30\n",
                           "\n              weights           none\n", "\nmetrics       not JSON\n"})
    EXPECT_NE(text.find(part), std::string::npos) << part << " is missing in:\n" << text;
  EXPECT_NE(text.find("\n              bop               gamma 5e-06, schedule co"), std::string::npos)
      << text;
}

TEST_F(Inspect, WhatIsInInt8IsTold) {
  const std::vector<std::string> own{"inspect", "--architecture", "bittern-small", "--classes", "12"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), own.begin(), own.end());
    return bittern(more).out;
  };
  const Json json = Json::parse(with({"--json", "--layers"}));
  std::int64_t int8 = 0;
  for (const Json& layer : json["layers"]) {
    int8 += layer.value("macs_int8", std::int64_t{0});
    EXPECT_LE(layer.value("macs_int8", std::int64_t{0}), layer["macs_float"]) << layer["layer"];
  }
  EXPECT_EQ(int8, 5 * 16 * 64 * 100 + 64 * 128 * 36 + 128 * 128 * 6);  // stem, t2, t3
  EXPECT_EQ(json["exits"].back()["macs_int8"], int8);
  const double work =
      json["exits"][0]["macs_binary"].get<double>() / 64 + json["exits"][0]["macs_int8"].get<double>() / 4;
  const Json& last = json["exits"].back();
  const double whole = last["macs_binary"].get<double>() / 64 +
                       (last["macs_float"].get<double>() - static_cast<double>(int8)) +
                       static_cast<double>(int8) / 4;
  EXPECT_NEAR(json["exits"][0]["macs_share"], work / whole, 1e-12);
  // A byte for each weight of an exit, of that option's; four for a float one, none but bits else.
  const auto parameters = [&](const std::string& dense) {
    return Json::parse(with({"--json", "--exit-dense", dense}))["parameters"];
  };
  const std::int64_t stem_and_transitions = 5 * 16 * 64 + 64 * 128 + 128 * 128;
  EXPECT_EQ(parameters("int8"), json["parameters"]);
  EXPECT_GT(parameters("int8")["int8"], stem_and_transitions);
  EXPECT_EQ(parameters("float")["int8"], stem_and_transitions);
  EXPECT_EQ(parameters("binary")["int8"], stem_and_transitions);
  EXPECT_GT(parameters("binary")["binary"], json["parameters"]["binary"]);
  EXPECT_NE(with({}).find("are in int8: four of them count as one"), std::string::npos);
  EXPECT_NE(with({"--layers"}).find("int8 dense"), std::string::npos);
}

// JSON text in a file from outside may be nested deeply enough to exhaust a recursive printer's stack.
TEST_F(Inspect, ADeeplyNestedRecipeStaysText) {
  model::Model other = *model_data_;
  other.provenance.recipe = std::string(30000, '[') + std::string(30000, ']');
  ASSERT_TRUE(model::save(other, folder_ / "other.bittern").ok());
  const Finished finished = bittern({"inspect", path("other.bittern"), "--json"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(Json::parse(finished.out)["provenance"]["recipe"], other.provenance.recipe);
}

// What a model says cannot steer the terminal.
TEST_F(Inspect, TextFromAModelIsPrintedHarmless) {
  model::Model other = *model_data_;
  other.provenance.data_name = "clips\x1B[2J\nself-test     passed";
  ASSERT_TRUE(model::save(other, folder_ / "other.bittern").ok());
  const std::string text = bittern({"inspect", path("other.bittern")}).out;
  EXPECT_EQ(text.find('\x1B'), std::string::npos);
  EXPECT_EQ(text.find("\nself-test     passed"), std::string::npos);
  EXPECT_NE(text.find("\nself-test     stored"), std::string::npos);
}

TEST_F(Inspect, EveryLayerIsListedOnRequest) {
  const std::vector<std::string> common{"inspect", "--architecture", "birealnet-18", "--classes", "12"};
  const auto with = [&](const char* option) {
    std::vector<std::string> arguments = common;
    arguments.insert(arguments.end(), {"--layers", option});
    return bittern(arguments);
  };
  const Json layers = Json::parse(with("--json").out)["layers"];
  std::int64_t binary = 0, floating = 0;
  for (const Json& layer : layers) {
    binary += layer["macs_binary"].get<std::int64_t>();
    floating += layer["macs_float"].get<std::int64_t>();
  }
  const Json exits = Json::parse(with("--json").out)["exits"];
  EXPECT_EQ(exits[4]["macs_binary"], binary);
  EXPECT_EQ(exits[4]["macs_float"], floating);
  EXPECT_EQ(layers[0]["shape"], (Json{98, 64, 1}));

  const std::string text = with("--original").out;
  EXPECT_NE(text.find("s2.b1.shortcut.conv"), std::string::npos);
  EXPECT_NE(text.find("mean over time and frequency, float dense 512x12"), std::string::npos);
  EXPECT_EQ(bittern(common).out.find("s2.b1.shortcut.conv"), std::string::npos);
}

TEST_F(Inspect, OptionsThatContradictEachOtherAreWrongUsage) {
  const std::vector<std::string> network{"--architecture", "quicknet", "--classes", "12"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), network.begin(), network.end());
    more.insert(more.begin(), "inspect");
    return bittern(more);
  };
  expect_wrong_usage(with({model_}), "--architecture");
  expect_wrong_usage(with({"--self-test"}), "--self-test");
  expect_wrong_usage(with({"--original", "--placement", "stem"}), "--original");
  expect_wrong_usage(with({"--original", "--exit-pool", "global"}), "--original");
  expect_wrong_usage(with({"--exit-pool", "max"}), "'max' is not one of: time, global");
  expect_wrong_usage(with({"--original", "--exit-dense", "int8"}), "--original");
  expect_wrong_usage(with({"--exit-dense", "half"}), "'half' is not one of: binary, int8, float");
  expect_wrong_usage(with({"--placement", "s2.b1,s1.b1"}), "s1.b1 does not stand behind s2.b1");
  expect_wrong_usage(bittern({"inspect", "--architecture", "quicknet"}), "--classes");
  expect_wrong_usage(bittern({"inspect", model_, "--classes", "12"}), "--architecture");
  for (const char* shape :
       {"98x64", "98x64x1x", "x64x1", "98,64,1", "0x64x1", "-98x64x1", "98x64x1x1", "+98x64x1", " 98x64x1",
        "65537x64x1", "98x1025x1", "98x64x4097", "99999999999999999999x64x1", ""})
    expect_wrong_usage(with({std::string("--input=") + shape}), "--input");
}

TEST_F(Inspect, ThePlanShowsEveryStepWithItsMemoryAndWork) {
  const Finished finished = bittern({"inspect", model_, "--plan", "--json"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json json = Json::parse(finished.out);
  const Json& plan = json["plan"];
  EXPECT_EQ(plan["frames"], model_data_->front_end.clip_frames());
  std::set<int> buffers;
  std::size_t end = 0;
  for (const Json& buffer : plan["buffers"]) {
    buffers.insert(buffer["buffer"].get<int>());
    end = std::max(end, buffer["offset_bytes"].get<std::size_t>() + buffer["bytes"].get<std::size_t>());
    EXPECT_LE(buffer["rows"], buffer["rows_of_tensor"]);
    EXPECT_LE(buffer["first_group"], buffer["last_group"]);
  }
  EXPECT_EQ(plan["arena_bytes"], end);
  std::int64_t binary = 0, floating = 0;
  double share = 0;
  int exits = 0, stage = 1;
  for (const Json& step : plan["steps"]) {
    EXPECT_GE(step["stage"], stage);
    stage = step["stage"].get<int>();
    binary += step["macs_binary"].get<std::int64_t>();
    floating += step["macs_float"].get<std::int64_t>();
    share += step["time_share"].get<double>();
    exits += step["kernel"] == "exit" ? 1 : 0;
    EXPECT_TRUE(step["memory"].contains("input") && step["memory"].contains("output"));
    for (const Json& place : step["memory"]) EXPECT_TRUE(buffers.contains(place["buffer"].get<int>()));
  }
  EXPECT_EQ(binary, json["exits"].back()["macs_binary"]);
  EXPECT_EQ(floating, json["exits"].back()["macs_float"]);
  EXPECT_NEAR(share, 1, 1e-6);
  EXPECT_EQ(exits, 3);
  const Finished text = bittern({"inspect", model_, "--plan"});
  EXPECT_EQ(text.status, 0);
  for (const Json& step : plan["steps"])
    EXPECT_NE(text.out.find(step["layers"].get<std::string>()), std::string::npos) << step["layers"];
  EXPECT_EQ(bittern({"inspect", model_, "--json"}).out.find("\"plan\""), std::string::npos);
  expect_wrong_usage(bittern({"inspect", "--architecture", "quicknet", "--classes", "12", "--plan"}),
                     "--plan");
}

}  // namespace
}  // namespace bittern::test
