#include "reproduce/agreement.h"

#include <nlohmann/json.hpp>

#include "graph/architecture.h"
#include "json/text.h"
#include "model/file.h"
#include "model/random_weights.h"
#include "reproduce/support.h"

namespace bittern::reproduce {
namespace {

using json::Json;

Json recipe(double learning_rate) {
  return {{"learning_rate", learning_rate}, {"loss", {{"distillation", 0.5}}}, {"precision", "auto"}};
}

class Agreement : public InFolder {
 protected:
  // Of one task with a word of each label in each split.
  Experiment planned() const {
    Experiment of = experiment();
    for (const char* split : {"train", "validation", "test"})
      for (const char* word : {"no", "yes"})
        write(std::string("data/") + split + "/" + word + "/1.flac", "x");
    of.tasks.pop_back();
    of.tasks[0].data = folder_ / "data";
    of.recipe_of = [](const std::vector<std::string>&) { return Expected<Json>(recipe(0.004)); };
    return of;
  }

  // What a training with such a recipe leaves, once it is finished.
  void train(const Experiment& of, const reproduce::Run& run, Json stored) const {
    pretend(of, run, of.epochs, 1);
    stored["precision"] = "int16";
    const std::string name = of.name(run);
    write("out/runs/" + name + "/recipe.json", stored.dump());
    graph::BuildOptions build;
    build.architecture = "quicknet-small";
    build.classes = 2;
    const auto model = model::random_model(*graph::build(build), 0);
    DataSets data(of);
    model->provenance.data_digest = data.digest(run).value();
    model->provenance.recipe = stored.dump();
    ASSERT_TRUE(model::save(*model, out().model(name)).ok());
  }

  void expect_refused(const Experiment& of, const std::string& why) const {
    const Expected<Folder> folder = open_folder(out().root, of);
    ASSERT_FALSE(folder.ok()) << why;
    EXPECT_NE(folder.error().message.find(why), std::string::npos) << folder.error().message;
    EXPECT_NE(folder.error().message.find(of.name(of.runs().front())), std::string::npos)
        << folder.error().message;
    EXPECT_EQ(folder.error().message.find('\n'), std::string::npos);
  }

  // A record of the first run, joint, with the test clips' names.
  void record(const Experiment& of, const std::string& digest) const {
    const Json accuracy{{"value", 0.5}, {"low", 0.2}, {"high", 0.8}, {"clips", 2}};
    Json run{{"task", "words"}, {"architecture", "quicknet"}, {"single_exit", 0}, {"seed", 3}};
    if (!digest.empty()) run["data_digest"] = digest;
    for (int exit = 1; exit <= 5; ++exit) run["exits"].push_back({{"exit", exit}, {"accuracy", accuracy}});
    for (const double threshold : {0.1, 0.5}) {
      run["rules"].push_back({{"threshold", threshold},
                              {"accuracy", accuracy},
                              {"average_exit", 1.0},
                              {"histogram", {2, 0, 0, 0, 0}},
                              {"histogram_per_class", {{1, 0, 0, 0, 0}, {1, 0, 0, 0, 0}}}});
    }
    for (const char* word : {"no", "yes"}) {
      run["clips"].push_back({{"file", std::string("test/") + word + "/1.flac"},
                              {"truth", word},
                              {"answers", {"no", "no", "no", "no", "no"}},
                              {"entropies", {0.1, 0.1, 0.1, 0.1, 0.1}}});
    }
    const Json task{
        {"name", "words"}, {"paper", ""}, {"labels", {"no", "yes"}}, {"clips", 2}, {"speakers", 0}};
    const Json results{{"conditions", conditions(of)}, {"tasks", {task}}, {"runs", {run}}};
    write("out/results.json", results.dump());
  }
};

TEST_F(Agreement, WhatWasTrainedSoIsTaken) {
  const Experiment of = planned();
  train(of, of.runs().front(), recipe(0.004));
  const Expected<Folder> folder = open_folder(out().root, of);
  EXPECT_TRUE(folder.ok()) << folder.error().message;
}

TEST_F(Agreement, OtherOptionsAreRefusedByName) {
  const Experiment of = planned();
  train(of, of.runs().front(), recipe(0.002));
  expect_refused(of, "learning_rate 0.002, not 0.004");
  Json more = recipe(0.004);
  more["augment"]["mixup"] = 0.3;
  train(of, of.runs().front(), more);
  expect_refused(of, "augment.mixup 0.3, not none");
}

// The folder's recipe may be right, and the model another's.
TEST_F(Agreement, TheModelsOwnRecipeCounts) {
  const Experiment of = planned();
  train(of, of.runs().front(), recipe(0.002));
  Json right = recipe(0.004);
  write("out/runs/" + of.name(of.runs().front()) + "/recipe.json", right.dump());
  expect_refused(of, "best.bittern: was trained with learning_rate 0.002");
}

TEST_F(Agreement, OtherRecordingsAreRefused) {
  const Experiment of = planned();
  train(of, of.runs().front(), recipe(0.004));
  write("data/train/no/2.flac", "more");
  expect_refused(of, "other recordings");
  std::filesystem::remove_all(folder_ / "data");
  EXPECT_TRUE(open_folder(out().root, of).ok()) << "nothing there to compare with";
}

TEST_F(Agreement, ARecordsDigestCounts) {
  const Experiment of = planned();
  DataSets data(of);
  record(of, data.digest(of.runs().front()).value());
  const Expected<Folder> folder = open_folder(out().root, of);
  ASSERT_TRUE(folder.ok()) << folder.error().message;
  EXPECT_TRUE(state_of(*folder, of, of.runs().front()).recorded);
  record(of, "0123456789abcdef");
  expect_refused(of, "trained on other recordings");
}

TEST_F(Agreement, ARecordWithoutDigestMustKnowTheClips) {
  const Experiment of = planned();
  record(of, "");
  const Expected<Folder> folder = open_folder(out().root, of);
  EXPECT_TRUE(folder.ok()) << folder.error().message;
  std::filesystem::rename(folder_ / "data/test/no/1.flac", folder_ / "data/test/no/2.flac");
  expect_refused(of, "measured on other clips");
}

}  // namespace
}  // namespace bittern::reproduce
