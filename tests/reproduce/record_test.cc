#include "reproduce/record.h"

#include "reproduce/support.h"

namespace bittern::reproduce {
namespace {

using Json = nlohmann::ordered_json;

class Records : public InFolder {
 protected:
  // Results of one joint run and of one that the experiment does not plan.
  std::filesystem::path results(const Experiment& of) const {
    Json json{{"conditions", conditions(of)},
              {"tasks", Json::array({{{"name", "words"}, {"labels", {"a", "b"}}}})},
              {"runs", Json::array()}};
    json["runs"].push_back(
        {{"task", "words"}, {"architecture", "quicknet"}, {"single_exit", 0}, {"seed", 3}});
    json["runs"].push_back(
        {{"task", "words"}, {"architecture", "quicknet"}, {"single_exit", 0}, {"seed", 99}});
    return write("out/results.json", json.dump());
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
  EXPECT_NE(refused.error().message.find("other options"), std::string::npos);
  pretend(of, of.runs().front(), 2, 1);
  const Expected<Folder> there = open_folder(out().root, other);
  ASSERT_TRUE(there.ok()) << there.error().message;
  EXPECT_TRUE(there->record.runs.empty());
}

TEST_F(Records, ConditionsHaveNoOrder) {
  Experiment of = experiment();
  const std::filesystem::path file = results(of);
  const Json train = of.source["train"];
  of.source["train"] = Json::object();
  for (auto item = train.rbegin(); item != train.rend(); ++item) of.source["train"][item.key()] = *item;
  EXPECT_TRUE(read_record(file, of)->fits);
}

TEST_F(Records, OfNoResultsAreRefused) {
  const Experiment of = experiment();
  for (const char* text : {"", "[]", "{}", "{\"conditions\": 1"}) {
    const Expected<Record> broken = read_record(write("broken.json", text), of);
    ASSERT_FALSE(broken.ok()) << text;
    EXPECT_NE(broken.error().message.find("move it away"), std::string::npos);
  }
  Json half = Json::parse(std::ifstream(results(of)));
  half["runs"][0].erase("seed");
  EXPECT_FALSE(read_record(write("half.json", half.dump()), of).ok());
  half = Json::parse(std::ifstream(results(of)));
  half["tasks"][0].erase("labels");
  EXPECT_FALSE(read_record(write("half.json", half.dump()), of).ok());
}

}  // namespace
}  // namespace bittern::reproduce
