#include "reproduce/experiment.h"

#include <algorithm>
#include <set>

#include "reproduce/support.h"

namespace bittern::reproduce {
namespace {

using Experiments = InFolder;

TEST_F(Experiments, AreRead) {
  const Experiment read = experiment();
  EXPECT_EQ(read.title, "Trial");
  ASSERT_EQ(read.tasks.size(), 2U);
  EXPECT_EQ(read.tasks[0].data, "/root/a/words");
  EXPECT_EQ(read.tasks[0].noise, "/root/noise");
  EXPECT_EQ(read.tasks[1].noise, "");
  ASSERT_EQ(read.networks.size(), 2U);
  EXPECT_EQ(read.networks[0].exits, 5);
  EXPECT_EQ(read.epochs, 2);
  EXPECT_EQ(read.placement, "paper");
  EXPECT_EQ(read.train_options,
            (std::vector<std::string>{"--exit-pool", "global", "--no-noise", "--batch", "64"}));
}

TEST_F(Experiments, GiveAnOptionOnceForEachTextOfAList) {
  std::string json = text();
  const std::string from = R"("batch": 64)";
  json.replace(json.find(from), from.size(), R"("teacher": ["a.bittern", "b.bittern"])");
  const auto read = read_experiment(write("taught.json", json), "/root");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->train_options, (std::vector<std::string>{"--exit-pool", "global", "--no-noise", "--teacher",
                                                           "a.bittern", "--teacher", "b.bittern"}));
}

TEST_F(Experiments, KnowTheDenseOfTheirExits) {
  EXPECT_EQ(experiment().dense, std::nullopt);
  const auto with = [&](const std::string& dense) {
    std::string json = text();
    const std::string from = R"("batch": 64)";
    json.replace(json.find(from), from.size(), R"("exit-dense": )" + dense);
    return read_experiment(write("dense.json", json), "/root");
  };
  const auto read = with(R"("int8")");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->dense, graph::ExitDense::kInt8);
  for (const char* wrong : {R"("in8")", R"(["int8"])", "8"}) {
    const auto refused = with(wrong);
    ASSERT_FALSE(refused.ok()) << wrong;
    EXPECT_NE(refused.error().message.find("'exit-dense'"), std::string::npos) << refused.error().message;
  }
}

TEST_F(Experiments, PlanEveryTrainingOnceAndJointOnesFirst) {
  const Experiment read = experiment();
  const std::vector<reproduce::Run> runs = read.runs();
  EXPECT_EQ(runs.size(), 2U * (2 * 6 + 6));
  std::set<std::string> names;
  for (const reproduce::Run& run : runs) names.insert(read.name(run));
  EXPECT_EQ(names.size(), runs.size());
  EXPECT_EQ(read.name(runs[0]), "words/quicknet/joint/seed-3");
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(runs[i].single_exit, 0) << i;
  EXPECT_EQ(read.name(runs[4]), "words/quicknet/exit-1/seed-3");
  EXPECT_EQ(read.name(runs.back()), "tongues/quicknet/exit-5/seed-4");
}

TEST_F(Experiments, MistakesAreNamed) {
  struct {
    const char* from;
    const char* to;
    const char* complaint;
  } const mistakes[] = {
      {R"("title": "Trial",)", "", "'title' is missing"},
      {R"("title")", R"("titel")", "'title' is missing"},
      {R"("single_exits": true)", R"("single_exits": true, "more": 1)", "unknown key 'more'"},
      {R"("single_exits": true)", R"("single_exits": "yes")", "'single_exits' must be true or false"},
      {R"("name": "words")", R"("name": "../words")", "is no name"},
      {R"("name": "tongues")", R"("name": "words")", "is there twice"},
      {R"("architecture": "quicknet",)", R"("architecture": "quacknet",)", "quacknet"},
      {R"([3, 4])", R"([3, 3])", "different numbers"},
      {R"([0.1, 0.5])", R"([-0.1])", "'thresholds' must be 0 or more"},
      {R"([0.1, 0.5])", R"([])", "'thresholds' must not be empty"},
      {R"([0.1, 0.5])", R"([0.1, 0.6])", "'thresholds' must hold 0.5"},
      {R"("epochs": 2)", R"("epochs": 0)", "'epochs' must be"},
      {R"("batch": 64)", R"("seed": 1)", "'seed' is set by the plan"},
      {R"("batch": 64)", R"("batch": [64])", "'batch' must be"},
      {R"("tasks": [)", R"("tasks": [], "unused": [)", "unknown key 'unused'"},
      {R"({)", R"([)", "is not JSON"},
  };
  for (const auto& mistake : mistakes) {
    std::string json = text();
    const std::size_t at = json.find(mistake.from);
    ASSERT_NE(at, std::string::npos) << mistake.from;
    json.replace(at, std::string(mistake.from).size(), mistake.to);
    const auto read = read_experiment(write("wrong.json", json), "/root");
    ASSERT_FALSE(read.ok()) << mistake.to;
    EXPECT_NE(read.error().message.find(mistake.complaint), std::string::npos) << read.error().message;
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos);
  }
  EXPECT_FALSE(read_experiment(folder_ / "none.json", "/root").ok());
}

TEST(Experiment, ThePapersIsWellFormed) {
  const auto read = read_experiment(std::string(BITTERN_SOURCE_DIR) + "/experiments/paper.json", "data");
  ASSERT_TRUE(read.ok()) << read.error().message;
  const std::vector<reproduce::Run> runs = read->runs();
  const auto first_seeds =
      std::count_if(runs.begin(), runs.end(), [](const reproduce::Run& run) { return run.seed == 0; });
  EXPECT_EQ(first_seeds, 72) << "four networks, three tasks, joint and each of five exits";
  EXPECT_EQ(runs.size(), 72U + 36) << "two more seeds of QuickNet";
}

}  // namespace
}  // namespace bittern::reproduce
