// From recordings to a model and on, with the program that users have.
#include <algorithm>
#include <fstream>

#include "end_to_end/command_line.h"
#include "end_to_end/tones.h"
#include "model/file.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;

class Train : public ToneTraining {};

TEST_F(Train, GivesAModelThatTheOtherCommandsUse) {
  const Finished trained = bittern(arguments("run"));
  ASSERT_EQ(trained.status, 0) << trained.err;
  for (const char* file : {"recipe.json", "metrics.jsonl", "checkpoint.pt", "best.bittern"})
    EXPECT_TRUE(fs::exists(folder_ / "run" / file)) << file;
  EXPECT_EQ(json_lines(read_bytes(path("run/metrics.jsonl"))).size(), 3U);

  const Finished exported = bittern({"export", path("run"), "--out", path("tones.bittern")});
  ASSERT_EQ(exported.status, 0) << exported.err;
  EXPECT_EQ(bittern({"inspect", path("tones.bittern"), "--self-test"}).status, 0);
  expect_failure(bittern({"inspect", path("run")}),
                 "is a training's folder; its best model is " + path("run/best.bittern"));

  const Finished evaluated =
      bittern({"evaluate", path("tones.bittern"), "--data", path("data"), "--json", "-"});
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const nlohmann::json report = nlohmann::json::parse(evaluated.out);
  EXPECT_EQ(report["labels"], nlohmann::json({"high", "low"}));
  EXPECT_EQ(report["exits"].size(), 5U);
  EXPECT_EQ(report["data"]["clips"], 16);
}

// The trainer computes validation with torch, evaluate with the packed model.
TEST_F(Train, AndEvaluateAgreeOnValidation) {
  ASSERT_EQ(bittern(arguments("run")).status, 0);
  nlohmann::json best;
  for (const nlohmann::json& epoch : json_lines(read_bytes(path("run/metrics.jsonl"))))
    if (epoch["best"]) best = epoch;
  const Finished evaluated = bittern(
      {"evaluate", path("run/best.bittern"), "--data", path("data"), "--split", "validation", "--json", "-"});
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const nlohmann::json report = nlohmann::json::parse(evaluated.out);
  for (std::size_t exit = 0; exit < 5; ++exit)
    EXPECT_EQ(report["exits"][exit]["accuracy"]["value"], best["exits"][exit]["accuracy"]["value"]) << exit;
}

TEST_F(Train, TheSameSeedGivesTheSameBytes) {
  ASSERT_EQ(bittern(arguments("a")).status, 0);
  ASSERT_EQ(bittern(arguments("b")).status, 0);
  ASSERT_EQ(bittern(arguments("c", {"--single-exit", "2"})).status, 0);
  EXPECT_EQ(read_bytes(path("a/best.bittern")), read_bytes(path("b/best.bittern")));
  EXPECT_NE(read_bytes(path("a/best.bittern")), read_bytes(path("c/best.bittern")));
}

// Each option reaches the recipe, and all of them together train.
TEST_F(Train, TakesEveryOptionOfTheRecipe) {
  const Finished trained = bittern(arguments("run", {"--placement",
                                                     "stem,s1.b1",
                                                     "--exit-pool",
                                                     "global",
                                                     "--exit-dense",
                                                     "int8",
                                                     "--exit-weighting",
                                                     "learned",
                                                     "--label-smoothing",
                                                     "0.1",
                                                     "--distillation",
                                                     "0.5",
                                                     "--distillation-temperature",
                                                     "3",
                                                     "--schedule",
                                                     "constant",
                                                     "--bop-schedule",
                                                     "cosine",
                                                     "--warmup-epochs",
                                                     "0.5",
                                                     "--bop-warmup-epochs",
                                                     "0.25",
                                                     "--float-epochs",
                                                     "1",
                                                     "--average-decay",
                                                     "0.99",
                                                     "--mixup",
                                                     "0.2"}));
  ASSERT_EQ(trained.status, 0) << trained.err;
  const nlohmann::json recipe = nlohmann::json::parse(read_bytes(path("run/recipe.json")));
  EXPECT_EQ(recipe["loss"], nlohmann::json({{"exit_weighting", "learned"},
                                            {"label_smoothing", 0.1},
                                            {"distillation", 0.5},
                                            {"temperature", 3.0}}));
  EXPECT_EQ(recipe["schedule"], "constant");
  EXPECT_EQ(recipe["bop"]["schedule"], "cosine");
  EXPECT_EQ(recipe["warmup_epochs"], 0.5);
  EXPECT_EQ(recipe["bop"]["warmup_epochs"], 0.25);
  EXPECT_EQ(recipe["float_epochs"], 1);
  EXPECT_EQ(recipe["average_decay"], 0.99);
  EXPECT_EQ(recipe["augment"]["mixup"], 0.2);
  ASSERT_EQ(bittern({"export", path("run"), "--out", path("tones.bittern")}).status, 0);
  EXPECT_EQ(bittern({"inspect", path("tones.bittern"), "--self-test"}).status, 0);
  EXPECT_EQ(bittern({"evaluate", path("tones.bittern"), "--data", path("data")}).status, 0);

  // --schedule alone is gamma's too.
  ASSERT_EQ(bittern(arguments("other", {"--epochs", "1", "--schedule", "constant"})).status, 0);
  EXPECT_EQ(nlohmann::json::parse(read_bytes(path("other/recipe.json")))["bop"]["schedule"], "constant");
}

TEST_F(Train, GoesOnAfterAKillAsIfNothingHadHappened) {
  ASSERT_EQ(bittern(arguments("whole")).status, 0);
  // Killed again and again, each time a little later, until one run reaches the end.
  int kills = 0;
  int resumed = 0;  // from a checkpoint
  for (int wait_ms = 300; wait_ms < 20000; wait_ms += 400) {
    const std::vector<std::string> line = arguments("broken", {"--resume", "--quiet"});
    if (fs::exists(folder_ / "broken" / "checkpoint.pt")) ++resumed;
    std::string command = "timeout -s KILL " + std::to_string(wait_ms / 1000) + "." +
                          std::to_string(1000 + wait_ms % 1000).substr(1) + " $BITTERN";
    for (const std::string& argument : line) command += " '" + argument + "'";
    if (shell(command + " >/dev/null 2>&1").status == 0) break;
    ++kills;
  }
  EXPECT_GT(kills, 0);
  EXPECT_GT(resumed, 0);
  std::vector<std::string> left;
  for (const auto& entry : fs::directory_iterator(folder_ / "broken"))
    left.push_back(entry.path().filename().string());
  std::sort(left.begin(), left.end());
  EXPECT_EQ(left,
            (std::vector<std::string>{"best.bittern", "checkpoint.pt", "metrics.jsonl", "recipe.json"}));
  EXPECT_EQ(read_bytes(path("broken/best.bittern")), read_bytes(path("whole/best.bittern")));
  const auto without_times = [](const std::string& text) {
    std::vector<nlohmann::json> list = json_lines(text);
    for (nlohmann::json& line : list) {
      line.erase("samples_per_s");
      line.erase("time_s");
    }
    return list;
  };
  EXPECT_EQ(without_times(read_bytes(path("broken/metrics.jsonl"))),
            without_times(read_bytes(path("whole/metrics.jsonl"))));
}

TEST_F(Train, CtrlCLeavesARunThatGoesOn) {
  // Once an epoch more is done, however long a busy machine takes for it.
  std::size_t bytes_seen = 0;
  Start start;
  start.interrupt_when = [&] { return read_bytes(path("run/metrics.jsonl")).size() > bytes_seen; };
  const Finished stopped = bittern(arguments("run", {"--epochs", "500"}), start);
  EXPECT_EQ(stopped.status, 130) << stopped.err;
  const std::string before = read_bytes(path("run/metrics.jsonl"));
  bytes_seen = before.size();
  const Finished resumed = bittern(arguments("run", {"--epochs", "500", "--resume"}), start);
  EXPECT_EQ(resumed.status, 130) << resumed.err;
  const std::string after = read_bytes(path("run/metrics.jsonl"));
  EXPECT_TRUE(after.starts_with(before));
  EXPECT_GT(after.size(), before.size());
}

// Where an epoch is one step, every interruption comes at its end: going on, nothing is left to take the time
// of.
TEST_F(Train, TheRateOfAnEpochWhoseStepsWereDoneBeforeIsNotKnown) {
  std::size_t bytes_seen = 0;
  Start start;
  start.interrupt_when = [&] { return read_bytes(path("run/metrics.jsonl")).size() > bytes_seen; };
  const std::vector<std::string> one_step{"--epochs", "500", "--batch", "16"};
  ASSERT_EQ(bittern(arguments("run", one_step), start).status, 130);
  const std::string before = read_bytes(path("run/metrics.jsonl"));
  bytes_seen = before.size();
  std::vector<std::string> resumed = one_step;
  resumed.emplace_back("--resume");
  const Finished went_on = bittern(arguments("run", resumed), start);
  ASSERT_EQ(went_on.status, 130) << went_on.err;
  for (const nlohmann::json& epoch : json_lines(before)) EXPECT_GT(epoch["samples_per_s"], 0);
  const auto after = json_lines(read_bytes(path("run/metrics.jsonl")).substr(before.size()));
  ASSERT_FALSE(after.empty());
  EXPECT_TRUE(after[0]["samples_per_s"].is_null()) << after[0];
  EXPECT_NE(lines(went_on.out)[0].find("  - clips/s  "), std::string::npos) << went_on.out;
}

TEST_F(Train, WarnsOfWhatIsHardlyMeant) {
  // The line of the warnings that begins with the option; empty without one.
  const auto told = [&](const char* run, const std::string& option, const std::string& value) {
    const Finished finished = bittern(arguments(run, {"--epochs", "2", option, value}));
    EXPECT_EQ(finished.status, 0);
    std::string found;
    for (const std::string& line : lines(finished.err))
      if (line.starts_with("bittern: warning: " + option + " ")) found += line;
    return found;
  };
  EXPECT_EQ(told("large", "--batch", "17"),
            "bittern: warning: --batch 17: there are only 16 clips to train with, so an epoch is one step of "
            "them all");
  EXPECT_EQ(told("whole", "--batch", "16"), "");
  EXPECT_NE(told("self", "--noise", path("data")).find(": 48 of its 48 recordings are labelled clips"),
            std::string::npos);
  EXPECT_NE(told("class", "--noise", path("data/../data/test/low"))
                .find(": 8 of its 8 recordings are labelled clips"),
            std::string::npos);
  fs::create_directories(folder_ / "data/.noise");
  fs::copy_file(folder_ / "data/test/low/s0_1.wav", folder_ / "data/.noise/a.wav");
  EXPECT_EQ(told("own", "--noise", path("data/.noise")), "");
}

TEST_F(Train, AModelThatComputesSomethingElseIsNotExported) {
  ASSERT_EQ(bittern(arguments("run", {"--epochs", "1"})).status, 0);
  const auto best = model::open(path("run/best.bittern")).value();
  model::Model changed = *best;
  changed.self_test->stages.at(1) ^= 1U;
  ASSERT_TRUE(model::save(changed, path("run/best.bittern")).ok());
  const Finished exported = bittern({"export", path("run"), "--out", path("tones.bittern")});
  expect_failure(exported, "best.bittern: self-test failed: stage");
  EXPECT_FALSE(fs::exists(folder_ / "tones.bittern"));
  expect_failure(bittern({"export", path("rum"), "--out", path("tones.bittern")}),
                 "rum: no such file or folder");
}

// Teachers made here teach a single exit; the run knows them again by their bytes.
TEST_F(Train, LearnsFromTeachers) {
  const std::vector<std::string> small{"--architecture", "quicknet-small", "--epochs", "1"};
  ASSERT_EQ(bittern(arguments("large", small)).status, 0);
  std::vector<std::string> other = small;
  other.insert(other.end(), {"--seed", "7"});
  ASSERT_EQ(bittern(arguments("other", other)).status, 0);
  fs::copy_file(folder_ / "large" / "best.bittern", folder_ / "first.bittern");
  fs::copy_file(folder_ / "other" / "best.bittern", folder_ / "second.bittern");

  const auto taught = [&](const std::string& run, const std::vector<std::string>& more) {
    std::vector<std::string> options{"--architecture", "quicknet-small", "--single-exit", "1"};
    options.insert(options.end(), more.begin(), more.end());
    return arguments(run, options);
  };
  const std::vector<std::string> both{"--teacher", path("first.bittern"), path("second.bittern")};
  const Finished trained = bittern(taught("run", both));
  ASSERT_EQ(trained.status, 0) << trained.err;
  const nlohmann::json recipe = nlohmann::json::parse(read_bytes(path("run/recipe.json")));
  ASSERT_EQ(recipe["teachers"].size(), 2U);
  EXPECT_EQ(recipe["teachers"][0]["file"], "first.bittern");
  EXPECT_EQ(recipe["teachers"][1]["file"], "second.bittern");
  EXPECT_NE(recipe["teachers"][0]["checksum"], recipe["teachers"][1]["checksum"]);
  const auto model = model::open(path("run/best.bittern")).value();
  EXPECT_EQ(nlohmann::json::parse(model->provenance.recipe)["teachers"], recipe["teachers"]);
  EXPECT_EQ(read_bytes(path("run/best.bittern")).find(folder_.path().string()), std::string::npos);

  // The same again; without teachers it is another model.
  ASSERT_EQ(bittern(taught("again", {"--teacher", path("first.bittern"), "--teacher", path("second.bittern"),
                                     "--quiet"}))
                .status,
            0);
  EXPECT_EQ(read_bytes(path("again/best.bittern")), read_bytes(path("run/best.bittern")));
  ASSERT_EQ(bittern(taught("alone", {"--quiet"})).status, 0);
  const auto losses = [&](const std::string& run) {
    return json_lines(read_bytes(path(run + "/metrics.jsonl"))).front()["exit_losses"];
  };
  EXPECT_NE(losses("alone"), losses("run"));

  expect_failure(bittern(taught("run", {"--teacher", path("first.bittern"), "--resume", "--quiet"})),
                 "the run was started with teachers (first.bittern");
  fs::copy_file(folder_ / "first.bittern", folder_ / "second.bittern", fs::copy_options::overwrite_existing);
  std::vector<std::string> changed = both;
  changed.insert(changed.end(), {"--resume", "--quiet"});
  expect_failure(bittern(taught("run", changed)), "the run was started with teachers (first.bittern");
  expect_failure(bittern(taught("run", {"--resume", "--quiet"})), ", not none)");
}

TEST_F(Train, RefusesTeachersOfSomethingElse) {
  expect_wrong_usage(bittern(arguments("run", {"--teacher", "a.bittern", "--distillation", "0"})),
                     "--teacher teaches nothing with --distillation 0");
  expect_failure(bittern(arguments("run", {"--teacher", path("none.bittern")})), "none.bittern");
  expect_failure(bittern(arguments("run", {"--teacher", path("data/train/low/s0_1.wav")})),
                 "s0_1.wav: not a");
  const std::string words = std::string(BITTERN_SOURCE_DIR) + "/models/quicknet-speech-commands-12.bittern";
  expect_failure(
      bittern(arguments("run", {"--teacher", words})),
      "quicknet-speech-commands-12.bittern: cannot teach: does not know the label 'high' of " + path("data"));
  EXPECT_FALSE(fs::exists(folder_ / "run"));
}

TEST_F(Train, RefusesWhatCannotBeTrained) {
  expect_failure(bittern({"train", "--data", path("none"), "--out", path("run")}), "none");
  expect_wrong_usage(
      bittern({"train", "--data", path("data"), "--architecture", "quiknet", "--out", path("run")}),
      "'quiknet'");
  expect_wrong_usage(bittern(arguments("run", {"--single-exit", "6"})), "there is no exit 6");
  expect_wrong_usage(bittern(arguments("run", {"--exit-weights", "1,2"})), "2 exit weights");
  expect_wrong_usage(bittern(arguments("run", {"--placement", "nowhere"})), "'nowhere'");
  expect_wrong_usage(bittern(arguments("run", {"--label-smoothing", "1"})), "label_smoothing is 1");
  expect_wrong_usage(bittern(arguments("run", {"--average-decay", "1"})), "average_decay is 1");
  expect_wrong_usage(bittern(arguments("run", {"--float-epochs", "3"})), "float_epochs is 3");
  expect_wrong_usage(bittern(arguments("run", {"--warmup-epochs", "3"})), "warmup_epochs is 3");
  expect_wrong_usage(bittern(arguments("run", {"--exit-weighting", "lerned"})), "lerned");
  expect_wrong_usage(bittern(arguments("run", {"--exit-weighting", "linear", "--exit-weights", "1,1,1,1,1"})),
                     "exit weights are given and exit weighting is linear");
  for (const char* option :
       {"--distillation", "--mixup", "--distillation-temperature", "--bop-warmup-epochs"})
    EXPECT_EQ(bittern(arguments("run", {option, "-1"})).status, 2) << option;
  EXPECT_EQ(bittern(arguments("run", {"--learning-rate", "nan"})).status, 2);
  EXPECT_EQ(bittern(arguments("run", {"--epochs", "0"})).status, 2);
  fs::create_directories(folder_ / "mine");
  std::ofstream(folder_ / "mine" / "thesis.txt") << "keep";
  expect_failure(bittern(arguments("mine", {"--quiet"})), "mine");
  EXPECT_EQ(read_bytes(path("mine/thesis.txt")), "keep");
  fs::remove_all(folder_ / "data" / "validation");
  expect_failure(bittern(arguments("run", {"--quiet"})), "validation");
}

}  // namespace
}  // namespace bittern::test
