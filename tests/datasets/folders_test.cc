#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "datasets/tree.h"

namespace bittern::datasets {
namespace {

using Lines = std::vector<std::string>;

class Folders : public ::testing::Test {
 protected:
  void add(std::initializer_list<const char*> files) {
    for (const char* file : files) touch(folder_ / file);
  }
  // A clean data set with all splits.
  void add_splits() {
    add({"train/no/a.wav", "train/yes/b.wav", "validation/no/c.wav", "validation/yes/d.wav", "test/no/e.wav",
         "test/yes/f.wav"});
  }

  test::TempFolder folder_;
};

TEST_F(Folders, WithSplits) {
  add_splits();
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.layout, "folders");
  EXPECT_EQ(dataset.name, "folders/" + folder_.path().filename().string());
  EXPECT_EQ(dataset.labels, (Lines{"no", "yes"}));
  EXPECT_EQ(listing(dataset),
            (Lines{"test no test/no/e.wav", "test yes test/yes/f.wav", "train no train/no/a.wav",
                   "train yes train/yes/b.wav", "validation no validation/no/c.wav",
                   "validation yes validation/yes/d.wav"}));
  EXPECT_EQ(dataset.warnings, Lines{});
  EXPECT_EQ(dataset.of(Split::kTest).size(), 2U);
}

TEST_F(Folders, OtherNamesOfSplits) {
  add({"Training/no/a.wav", "Training/yes/a.wav", "val/no/a.wav", "val/yes/a.wav", "testing/no/a.flac",
       "testing/yes/a.mp3"});
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(count(dataset, Split::kTrain, "yes"), 1U);
  EXPECT_EQ(count(dataset, Split::kValidation, "yes"), 1U);
  EXPECT_EQ(count(dataset, Split::kTest, "no"), 1U);
  for (const char* name : {"dev", "valid"}) {
    std::filesystem::rename(folder_ / "val", folder_ / name);
    EXPECT_EQ(count(must_scan(folder_.path()), Split::kValidation, "no"), 1U);
    std::filesystem::rename(folder_ / name, folder_ / "val");
  }
}

TEST_F(Folders, TwoFoldersForOneSplit) {
  add({"dev/no/a.wav", "train/no/a.wav", "val/no/a.wav"});
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() + ": both 'dev' and 'val' would be the validation split; keep one");
}

TEST_F(Folders, OnlyTest) {
  add({"test/no/a.wav", "test/yes/b.wav"});
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.of(Split::kTest).size(), 2U);
  EXPECT_TRUE(dataset.of(Split::kTrain).empty());
  EXPECT_EQ(dataset.warnings, Lines{});
}

TEST_F(Folders, WithoutSplitsBySpeaker) {
  for (const char* word : {"no", "yes"})
    for (const char* speaker : {"ann", "bob", "eve", "ida", "max"})
      for (const char* take : {"_0.wav", "_1.wav"})
        touch(folder_ / (std::string(word) + "/" + speaker + take));
  const Dataset dataset = must_scan(folder_.path());
  for (const char* word : {"no", "yes"}) {
    EXPECT_EQ(count(dataset, Split::kTrain, word), 6U);
    EXPECT_EQ(count(dataset, Split::kValidation, word), 2U);
    EXPECT_EQ(count(dataset, Split::kTest, word), 2U);
  }
  const auto splits = splits_of_speakers(dataset);
  EXPECT_EQ(splits.size(), 5U);
  for (const auto& [speaker, of_speaker] : splits) EXPECT_EQ(of_speaker.size(), 1U) << speaker;
  EXPECT_EQ(dataset.warnings, Lines{});
  EXPECT_EQ(listing(must_scan(folder_.path())), listing(dataset));
}

TEST_F(Folders, WithoutSplitsAndSpeakersWarns) {
  for (int i = 0; i < 20; ++i) {
    touch(folder_ / ("no/x" + std::to_string(i) + ".wav"));
    touch(folder_ / ("yes/y" + std::to_string(i) + ".wav"));
  }
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(count(dataset, Split::kTrain, "no"), 16U);
  EXPECT_EQ(count(dataset, Split::kTest, "yes"), 2U);
  EXPECT_TRUE(has_warning(dataset, "the names of 40 of 40 clips do not tell the speaker"));
}

TEST_F(Folders, SeedDoesNotChangeTheSplit) {
  for (int i = 0; i < 50; ++i) touch(folder_ / ("no/x" + std::to_string(i) + ".wav"));
  EXPECT_EQ(must_scan(folder_.path(), {.seed = 1}).digest(), must_scan(folder_.path(), {.seed = 2}).digest());
}

TEST_F(Folders, ClassesMayBeCalledLikeSplits) {
  // Recordings of vehicles: nothing lies in folders below "train".
  add({"train/a.wav", "train/b.wav", "train/c.wav", "bus/a.wav", "bus/b.wav", "bus/c.wav"});
  EXPECT_EQ(must_scan(folder_.path()).labels, (Lines{"bus", "train"}));
}

TEST_F(Folders, Noise) {
  add_splits();
  add({"_background_noise_/rain.wav", "train/_background_noise_/fan.wav", "_background_noise_/README.md"});
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.labels, (Lines{"no", "yes"}));
  ASSERT_EQ(dataset.noise.size(), 2U);
  EXPECT_EQ(dataset.noise[0], folder_ / "_background_noise_/rain.wav");
  EXPECT_EQ(dataset.noise[1], folder_ / "train/_background_noise_/fan.wav");
  EXPECT_EQ(dataset.warnings, Lines{});
}

TEST_F(Folders, HiddenAndForeignFiles) {
  add_splits();
  add({".git/x/a.wav", "train/.cache/a.wav", "train/yes/._b.wav", "train/yes/notes.txt", "train/yes/b.m4a",
       "README.md"});
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 6U);
  ASSERT_EQ(dataset.warnings.size(), 1U);
  EXPECT_EQ(dataset.warnings[0],
            "left out: 2 files in class folders, not ending like WAV, FLAC, Ogg, Opus or MP3 (first: "
            "train/yes/b.m4a)");
}

TEST_F(Folders, MisplacedThingsAreWarnedAbout) {
  add_splits();
  add({"extra/a.wav", "more/a.wav", "stray.wav", "train/loose.wav", "train/yes/deeper/a.wav"});
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 6U);
  EXPECT_EQ(dataset.warnings,
            (Lines{"left out: 2 folders beside the split folders (first: extra)",
                   "left out: 2 recordings outside the class folders (first: train/loose.wav)",
                   "left out: 1 folder inside a class or background noise (first: train/yes/deeper)"}));
}

TEST_F(Folders, LabelWithoutClips) {
  add_splits();
  std::filesystem::create_directories(folder_ / "train/maybe");
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() + ": label 'maybe' has no clips; add some or remove its folder");
}

TEST_F(Folders, LabelMissingInASplit) {
  add_splits();
  add({"train/maybe/a.wav", "test/never/a.wav"});
  EXPECT_EQ(must_scan(folder_.path()).warnings,
            (Lines{"label 'maybe' has no clips in validation", "label 'maybe' has no clips in test",
                   "label 'never' has no clips in train", "label 'never' has no clips in validation"}));
}

TEST_F(Folders, SpeakerInTwoSplits) {
  add({"train/no/0a7c2a8d_nohash_0.wav", "test/no/0a7c2a8d_nohash_1.wav", "train/yes/11111111_nohash_0.wav",
       "test/yes/22222222_nohash_0.wav"});
  EXPECT_EQ(must_scan(folder_.path()).warnings,
            Lines{"1 of 3 speakers are in more than one split (first: '0a7c2a8d'); accuracies will flatter"});
}

TEST_F(Folders, EmptyFolder) {
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() +
                ": no class folders in it (0 recordings); expected DIR/<class>/<clip> or "
                "DIR/{train,validation,test}/<class>/<clip>");
  std::filesystem::create_directories(folder_ / "train");
  EXPECT_NE(scan_error(folder_.path()), "");
}

TEST_F(Folders, RecordingsWithoutClasses) {
  add({"a.wav", "b.wav"});
  EXPECT_NE(scan_error(folder_.path()).find("no class folders in it (2 recordings)"), std::string::npos);
}

TEST_F(Folders, EmptyClasses) {
  std::filesystem::create_directories(folder_ / "yes");
  EXPECT_EQ(scan_error(folder_.path()), folder_.path().string() + ": no clips found (layout folders)");
}

TEST_F(Folders, HasNoTasks) {
  add_splits();
  EXPECT_EQ(scan_error(folder_.path(), {.task = "12"}),
            "layout folders has no task '12'; it has none at all");
}

TEST_F(Folders, SpacesAndUnicode) {
  add({"test/sehr schön/ein Wort.wav", "test/нет/да.wav"});
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.labels, (Lines{"sehr schön", "нет"}));
  EXPECT_EQ(listing(dataset)[0], "test sehr schön test/sehr schön/ein Wort.wav");
}

TEST_F(Folders, Links) {
  add({"elsewhere/a.wav", "elsewhere/b.wav", "data/test/no/a.wav"});
  std::filesystem::create_directory_symlink(folder_ / "elsewhere", folder_ / "data/test/yes");
  std::filesystem::create_symlink(folder_ / "gone.wav", folder_ / "data/test/no/b.wav");
  const Dataset dataset = must_scan(folder_ / "data");
  EXPECT_EQ(count(dataset, Split::kTest, "yes"), 2U);
  EXPECT_EQ(count(dataset, Split::kTest, "no"), 2U);  // the broken link is reported by load()
}

TEST_F(Folders, LoopOfLinks) {
  add_splits();
  std::filesystem::create_symlink(folder_ / "train/loop", folder_ / "train/loop");
  EXPECT_NE(scan_error(folder_.path()).find("cannot list this folder"), std::string::npos);
  std::filesystem::remove(folder_ / "train/loop");
  std::filesystem::create_directory_symlink(folder_.path(), folder_ / "train/yes/up");
  EXPECT_TRUE(has_warning(must_scan(folder_.path()), "left out: 1 folder inside a class"));
}

TEST_F(Folders, PipesAreNoRecordings) {
  add_splits();
  ASSERT_EQ(::mkfifo((folder_ / "train/yes/pipe.wav").c_str(), 0600), 0);
  EXPECT_EQ(must_scan(folder_.path()).clips.size(), 6U);
}

TEST_F(Folders, NotAllowed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  add_splits();
  ::chmod((folder_ / "train/yes").c_str(), 0);
  EXPECT_NE(scan_error(folder_.path()).find("cannot list this folder"), std::string::npos);
  ::chmod((folder_ / "train/yes").c_str(), 0700);
}

}  // namespace
}  // namespace bittern::datasets
