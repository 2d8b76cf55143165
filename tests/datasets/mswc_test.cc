// A miniature of one language of MSWC as its archives unpack.
#include <gtest/gtest.h>

#include "datasets/tree.h"

namespace bittern::datasets {
namespace {

using Lines = std::vector<std::string>;

class Mswc : public ::testing::Test {
 protected:
  void table(const std::string& rows, const char* name = "en_splits.csv",
             const char* header = "SET,LINK,WORD,VALID,SPEAKER,GENDER\n") {
    test::write_bytes(folder_ / name, header + rows);
  }
  void clip(const std::string& link) { touch(folder_ / ("clips/" + link)); }

  // Two words, three speakers, a clip each per split.
  void build() {
    const char* const sets[] = {"TRAIN", "DEV", "TEST"};
    std::string rows;
    for (const char* word : {"adam", "abbey"}) {
      for (int i = 0; i < 3; ++i) {
        const std::string link = std::string(word) + "/common_voice_en_1000" + std::to_string(i) + ".opus";
        clip(link);
        rows +=
            std::string(sets[i]) + "," + link + "," + word + ",TRUE,speaker" + std::to_string(i) + ",MALE\n";
      }
    }
    table(rows);
  }

  test::TempFolder folder_;
};

TEST_F(Mswc, Splits) {
  build();
  touch(folder_ / "version.txt");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.layout, "mswc");
  EXPECT_EQ(dataset.labels, (Lines{"abbey", "adam"}));
  EXPECT_EQ(listing(dataset), (Lines{"test abbey clips/abbey/common_voice_en_10002.opus",
                                     "test adam clips/adam/common_voice_en_10002.opus",
                                     "train abbey clips/abbey/common_voice_en_10000.opus",
                                     "train adam clips/adam/common_voice_en_10000.opus",
                                     "validation abbey clips/abbey/common_voice_en_10001.opus",
                                     "validation adam clips/adam/common_voice_en_10001.opus"}));
  EXPECT_EQ(dataset.of(Split::kTrain)[0]->speaker, "speaker0");
  EXPECT_EQ(dataset.warnings, Lines{});
}

TEST_F(Mswc, TablePerSplit) {
  const char* const header = "LINK,WORD,VALID,SPEAKER,GENDER\n";
  for (const char* link : {"a/1.opus", "a/2.opus", "a/3.opus", "b/1.opus", "b/2.opus", "b/3.opus"})
    clip(link);
  table("a/1.opus,a,True,s1,NAN\nb/1.opus,b,True,s1,NAN\n", "en_train.csv", header);
  table("a/2.opus,a,True,s2,NAN\nb/2.opus,b,True,s2,NAN\n", "en_dev.csv", header);
  table("a/3.opus,a,True,s3,NAN\nb/3.opus,b,True,s3,NAN\n", "en_test.csv", header);
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.layout, "mswc");
  EXPECT_EQ(dataset.of(Split::kValidation)[1]->path, folder_ / "clips/b/2.opus");
  EXPECT_EQ(dataset.clips.size(), 6U);
  EXPECT_EQ(dataset.warnings, Lines{});
}

TEST_F(Mswc, TablesWithoutALanguage) {
  const char* const header = "LINK,WORD,VALID,SPEAKER,GENDER\n";
  for (const char* link : {"a/1.opus", "a/2.opus", "b/1.opus", "b/2.opus"}) clip(link);
  table("a/1.opus,a,True,s1,NAN\nb/1.opus,b,True,s1,NAN\n", "train.csv", header);
  table("a/2.opus,a,True,s2,NAN\nb/2.opus,b,True,s2,NAN\n", "test.csv", header);
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.layout, "mswc");
  EXPECT_EQ(dataset.clips.size(), 4U);
  EXPECT_EQ(dataset.of(Split::kTest)[1]->path, folder_ / "clips/b/2.opus");
  // Not a table of ours.
  table("", "contest.csv", header);
  EXPECT_EQ(must_scan(folder_.path()).clips.size(), 4U);
  table("", "de_test.csv", header);
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() + ": 'de_test.csv' and 'test.csv' are tables of two languages; keep one");
}

TEST_F(Mswc, TablePerSplitOfTwoLanguages) {
  build();
  std::filesystem::remove(folder_ / "en_splits.csv");
  table("", "en_train.csv");
  table("", "de_test.csv");
  EXPECT_EQ(
      scan_error(folder_.path()),
      folder_.path().string() + ": 'de_test.csv' and 'en_train.csv' are tables of two languages; keep one");
}

TEST_F(Mswc, OpusLoads) {
  record(folder_ / "clips/yes/a.opus", 48000, 48000);
  record(folder_ / "clips/no/a.opus", 48000, 48000);
  table("TRAIN,yes/a.opus,yes,TRUE,s,MALE\nTRAIN,no/a.opus,no,TRUE,s,MALE\n");
  const auto loaded = load(must_scan(folder_.path()), Split::kTrain, 16000);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  ASSERT_EQ(loaded->samples.size(), 2U);
  EXPECT_EQ(loaded->samples[0].size(), 16000U);
}

TEST_F(Mswc, ClipsMayHaveBecomeWav) {
  clip("a/x.wav");
  table("TRAIN,a/x.opus,a,TRUE,s,MALE\n");
  EXPECT_EQ(listing(must_scan(folder_.path())), Lines{"train a clips/a/x.wav"});
}

TEST_F(Mswc, WordsOfATask) {
  build();
  clip("third/x.opus");
  table(test::read_bytes(folder_ / "en_splits.csv") + "TRAIN,third/x.opus,third,TRUE,s,MALE\n",
        "en_splits.csv", "");
  EXPECT_EQ(must_scan(folder_.path()).labels, (Lines{"abbey", "adam", "third"}));
  EXPECT_EQ(must_scan(folder_.path(), {.task = "third,adam"}).labels, (Lines{"adam", "third"}));
  EXPECT_EQ(scan_error(folder_.path(), {.task = "adam,none"}),
            folder_.path().string() + ": label 'none' has no clips; add some or remove its folder");
  EXPECT_EQ(scan_error(folder_.path(), {.task = "adam"}), "a task needs two labels at least, such as yes,no");
  EXPECT_EQ(scan_error(folder_.path(), {.task = "adam,"}),
            "a task is a list such as yes,no: a name in it is empty");
}

TEST_F(Mswc, QuotedAndUnicode) {
  clip("don't, no/x.opus");
  clip("абзар/y.opus");
  table("TRAIN,\"don't, no/x.opus\",\"don't, no\",TRUE,s,MALE\r\nTRAIN,абзар/y.opus,абзар,TRUE,NA,OTHER\r\n");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.labels, (Lines{"don't, no", "абзар"}));
  EXPECT_EQ(dataset.clips[1].speaker, "");
}

TEST_F(Mswc, WhatIsLeftOutIsCounted) {
  build();
  clip("adam/wrong.opus");
  clip("adam/nowhere.opus");
  table(test::read_bytes(folder_ / "en_splits.csv") +
            "TRAIN,adam/wrong.opus,adam,FALSE,s,MALE\n"
            "TRAIN,adam/gone.opus,adam,TRUE,s,MALE\n"
            "TRAIN,zebra/gone.opus,zebra,TRUE,s,MALE\n"
            ",adam/nowhere.opus,adam,TRUE,s,MALE\n"
            "TRAIN,adam/short.opus,adam\n",
        "en_splits.csv", "");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 6U);
  EXPECT_EQ(dataset.labels, (Lines{"abbey", "adam"}));
  EXPECT_EQ(dataset.warnings,
            (Lines{"left out: 1 clip marked as not valid (first: adam/wrong.opus)",
                   "left out: 2 clips listed but not there (first: adam/gone.opus)",
                   "left out: 2 rows malformed or of no split (first: en_splits.csv, line 11)"}));
}

TEST_F(Mswc, LinksStayInsideTheFolder) {
  build();
  touch(folder_ / "outside.opus");
  touch(folder_ / "clips/outside.opus");
  std::string rows = test::read_bytes(folder_ / "en_splits.csv");
  const std::string absolute = (folder_ / "outside.opus").string();
  for (const std::string& link :
       {std::string("../outside.opus"), std::string("x/../../outside.opus"), absolute,
        std::string("outside.opus"), std::string("./outside.opus"), std::string()})
    rows += "TRAIN," + link + ",adam,TRUE,s,MALE\n";
  table(rows, "en_splits.csv", "");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 6U);
  EXPECT_TRUE(has_warning(dataset, "left out: 6 rows malformed or of no split"));
}

TEST_F(Mswc, BadTables) {
  clip("a/x.opus");
  table("");
  EXPECT_EQ(scan_error(folder_.path()), folder_.path().string() + ": no clips found (layout mswc)");
  table("", "en_splits.csv", "");
  EXPECT_EQ(scan_error(folder_.path()), (folder_ / "en_splits.csv").string() + ": is empty");
  table("", "en_splits.csv", "SET,LINK,VALID,SPEAKER\n");
  EXPECT_EQ(scan_error(folder_.path()), (folder_ / "en_splits.csv").string() + ": no column WORD");
  table("", "en_splits.csv", "LINK,WORD,VALID,SPEAKER\n");
  EXPECT_EQ(scan_error(folder_.path()), (folder_ / "en_splits.csv").string() + ": no column SET");
  table("", "de_splits.csv");
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() +
                ": 'de_splits.csv' and 'en_splits.csv' are tables of two languages; keep one");
}

TEST_F(Mswc, QuoteNeverClosed) {
  build();
  const std::string rows = test::read_bytes(folder_ / "en_splits.csv");
  const std::string path = (folder_ / "en_splits.csv").string();
  table("TRAIN,\"adam/x.opus,adam,TRUE,s,MALE\n" + rows.substr(rows.find('\n') + 1));
  EXPECT_EQ(scan_error(folder_.path()), path + ": line 2: a quote is never closed");
  table(rows + "TRAIN,adam/x.opus,adam,TRUE,s,\"MALE\n", "en_splits.csv", "");
  EXPECT_EQ(scan_error(folder_.path()), path + ": line 8: a quote is never closed");
  table("\"" + rows, "en_splits.csv", "");
  EXPECT_EQ(scan_error(folder_.path()), path + ": line 1: a quote is never closed");
}

TEST_F(Mswc, NoTable) {
  clip("a/x.opus");
  EXPECT_EQ(
      scan_error(folder_.path(), {.layout = "mswc"}),
      folder_.path().string() + ": no splits.csv and no train.csv, with <language>_ in front or without");
}

}  // namespace
}  // namespace bittern::datasets
