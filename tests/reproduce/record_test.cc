#include "reproduce/record.h"

#include "reproduce/support.h"

namespace bittern::reproduce {
namespace {

using Json = nlohmann::ordered_json;

class Records : public InFolder {
 protected:
  static Json joint_run(int seed) {
    const Json accuracy{{"value", 0.5}, {"low", 0.2}, {"high", 0.8}, {"clips", 2}};
    Json run{{"task", "words"}, {"architecture", "quicknet"}, {"single_exit", 0}, {"seed", seed}};
    for (int exit = 1; exit <= 5; ++exit) run["exits"].push_back({{"exit", exit}, {"accuracy", accuracy}});
    for (const double threshold : {0.1, 0.5}) {
      run["rules"].push_back({{"threshold", threshold},
                              {"accuracy", accuracy},
                              {"average_exit", 1.5},
                              {"histogram", {1, 1, 0, 0, 0}},
                              {"histogram_per_class", {{1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}}}});
    }
    for (const char* truth : {"a", "b"}) {
      run["clips"].push_back({{"file", std::string("test/") + truth + "/1.flac"},
                              {"truth", truth},
                              {"answers", {"a", "a", "b", "b", "b"}},
                              {"entropies", {0.1, 0.1, 0.1, 0.1, 0.1}}});
    }
    return run;
  }
  static Json results_json(const Experiment& of) {
    const Json task{{"name", "words"}, {"paper", ""}, {"labels", {"a", "b"}}, {"clips", 2}, {"speakers", 0}};
    return {{"conditions", conditions(of)}, {"tasks", {task}}, {"runs", {joint_run(3)}}};
  }
  std::filesystem::path results(const Experiment& of) const {
    return write("out/results.json", results_json(of).dump());
  }
};

TEST_F(Records, CountAsDoneWhereTheFolderIsGone) {
  const Experiment of = experiment();
  Folder folder = out();
  const Expected<Record> record = read_record(results(of), of);
  ASSERT_TRUE(record.ok()) << record.error().message;
  EXPECT_EQ(record->runs.size(), 1U);
  folder.record = *record;
  const reproduce::Run first = of.runs().front();
  ASSERT_EQ(of.name(first), "words/quicknet/joint/seed-3");
  EXPECT_TRUE(state_of(folder, of, first).done);
  EXPECT_TRUE(state_of(folder, of, first).recorded);
  EXPECT_FALSE(state_of(folder, of, of.runs().back()).done);
  pretend(of, first, 2, 1);  // the folder itself goes first
  EXPECT_FALSE(state_of(folder, of, first).recorded);
}

TEST_F(Records, AreEmptyWithoutAFile) {
  const Expected<Record> record = read_record(folder_ / "nothing.json", experiment());
  ASSERT_TRUE(record.ok());
  EXPECT_TRUE(record->runs.empty());
}

TEST_F(Records, OfOtherConditionsServeOnlyWhereFoldersAreLeft) {
  const Experiment of = experiment();
  results(of);
  EXPECT_EQ(open_folder(out().root, of)->record.runs.size(), 1U);
  Experiment other = of;
  other.source["train"]["batch"] = 32;
  const Expected<Folder> refused = open_folder(out().root, other);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(
      refused.error().message.find("words/quicknet/joint/seed-3, whose folder is gone, of an experiment "
                                   "with train.batch 64, not 32"),
      std::string::npos)
      << refused.error().message;
  pretend(of, of.runs().front(), 2, 1);
  const Expected<Folder> there = open_folder(out().root, other);
  ASSERT_TRUE(there.ok()) << there.error().message;
  EXPECT_TRUE(there->record.runs.empty());
}

// Writing the file anew would lose them.
TEST_F(Records, OfAnotherExperimentAreNotOverwritten) {
  Experiment of = experiment();
  results(of);
  ASSERT_TRUE(open_folder(out().root, of).ok());
  of.tasks[0].name = "others";
  const Expected<Folder> refused = open_folder(out().root, of);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(
      refused.error().message.find("holds words/quicknet/joint/seed-3, which this experiment does not plan"),
      std::string::npos)
      << refused.error().message;
}

// The same where the experiment has become smaller; what can be measured again is no loss.
TEST_F(Records, ThatAreNoLongerPlannedAreNotOverwritten) {
  const Experiment of = experiment();
  Json json = results_json(of);
  json["runs"].push_back(joint_run(99));
  const auto file = write("out/results.json", json.dump());
  const Expected<Record> record = read_record(file, of);
  ASSERT_TRUE(record.ok()) << record.error().message;
  EXPECT_EQ(record->runs.size(), 1U);
  EXPECT_EQ(record->others, std::vector<std::string>{"words/quicknet/joint/seed-99"});
  const Expected<Folder> refused = open_folder(out().root, of);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("seed-99, which this experiment does not plan"), std::string::npos)
      << refused.error().message;
  write("out/runs/words/quicknet/joint/seed-99/best.bittern", "a model");
  EXPECT_TRUE(open_folder(out().root, of).ok());
}

TEST_F(Records, ConditionsHaveNoOrder) {
  Experiment of = experiment();
  const std::filesystem::path file = results(of);
  const Json train = of.source["train"];
  of.source["train"] = Json::object();
  for (auto item = train.rbegin(); item != train.rend(); ++item) of.source["train"][item.key()] = *item;
  EXPECT_EQ(read_record(file, of)->differs, "");
}

TEST_F(Records, OfNoResultsAreRefused) {
  const Experiment of = experiment();
  for (const char* text :
       {"", "[]", "{}", "7", "{\"conditions\": 1", R"({"conditions": 1, "tasks": 2, "runs": 3})"}) {
    const Expected<Record> broken = read_record(write("broken.json", text), of);
    ASSERT_FALSE(broken.ok()) << text;
    EXPECT_NE(broken.error().message.find("move it away"), std::string::npos);
  }
}

TEST_F(Records, TellWhatIsMissingOrWrong) {
  const Experiment of = experiment();
  ASSERT_TRUE(read_record(results(of), of).ok());
  const Json whole = results_json(of);
  const auto message = [&](const Json& json) {
    const Expected<Record> record = read_record(write("broken.json", json.dump()), of);
    return record.ok() ? std::string("taken") : record.error().message;
  };
  for (const char* place : {"/conditions",
                            "/tasks",
                            "/runs",
                            "/tasks/0/name",
                            "/tasks/0/labels",
                            "/tasks/0/paper",
                            "/tasks/0/clips",
                            "/tasks/0/speakers",
                            "/runs/0/task",
                            "/runs/0/single_exit",
                            "/runs/0/seed",
                            "/runs/0/exits",
                            "/runs/0/rules",
                            "/runs/0/clips",
                            "/runs/0/exits/4",
                            "/runs/0/exits/0/exit",
                            "/runs/0/exits/0/accuracy",
                            "/runs/0/exits/0/accuracy/low",
                            "/runs/0/rules/1",
                            "/runs/0/rules/0/threshold",
                            "/runs/0/rules/0/average_exit",
                            "/runs/0/rules/0/histogram/4",
                            "/runs/0/rules/0/histogram_per_class/1",
                            "/runs/0/rules/0/histogram_per_class/1/4",
                            "/runs/0/clips/0/file",
                            "/runs/0/clips/0/truth",
                            "/runs/0/clips/0/answers/4",
                            "/runs/0/clips/0/entropies/4"}) {
    const Json::json_pointer pointer(place);
    Json broken = whole;
    Json& parent = broken[pointer.parent_pointer()];
    if (parent.is_array()) {
      parent.erase(parent.size() - 1);
    } else {
      parent.erase(pointer.back());
    }
    EXPECT_NE(message(broken).find("move it away"), std::string::npos) << place << ": " << message(broken);
    EXPECT_EQ(message(broken).find('\n'), std::string::npos) << place;
  }
  const auto with = [&](const char* place, const Json& value) {
    Json changed = whole;
    changed[Json::json_pointer(place)] = value;
    return message(changed);
  };
  EXPECT_NE(with("/runs/0/exits", "many").find("words/quicknet/joint/seed-3: 'exits' must be"),
            std::string::npos);
  EXPECT_NE(with("/runs/0/rules/0/accuracy/value", 7).find("within its interval"), std::string::npos);
  EXPECT_NE(with("/runs/0/rules/0/histogram/0", -1).find("'histogram' must be"), std::string::npos);
  EXPECT_NE(with("/runs/0/rules/0/average_exit", 9).find("from 1 to 5"), std::string::npos);
  EXPECT_NE(with("/runs/0/rules/0/histogram/0", 5).find("must be of the run's 2 clips"), std::string::npos);
  EXPECT_NE(with("/runs/0/rules/1/histogram_per_class/1/0", 1).find("must add up to 'histogram'"),
            std::string::npos);
  EXPECT_NE(with("/runs/0/rules/0/average_exit", 1.4).find("the mean of 'histogram'"), std::string::npos);
  EXPECT_NE(with("/runs/0/rules/0/accuracy/clips", 3).find("of the run's 2 clips"), std::string::npos);
  EXPECT_NE(with("/runs/0/clips/0/truth", "c").find("'c' is none of the task's labels"), std::string::npos);
  for (const char* file : {"/etc/passwd", "../secret.wav", "test/../../secret.wav", ""})
    EXPECT_NE(with("/runs/0/clips/0/file", file).find("below the task's folder"), std::string::npos) << file;
}

// An older build's: the thresholds a second time, and no digests.
TEST_F(Records, OfAnOlderBuildAreTaken) {
  const Experiment of = experiment();
  Json old = results_json(of);
  old["thresholds"] = {0.1, 0.5};
  const Expected<Record> record = read_record(write("old.json", old.dump()), of);
  ASSERT_TRUE(record.ok()) << record.error().message;
  EXPECT_EQ(record->differs, "");
  EXPECT_EQ(record->runs.size(), 1U);
}

}  // namespace
}  // namespace bittern::reproduce
