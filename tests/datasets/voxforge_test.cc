// A miniature of VoxForge's archives, six languages.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "datasets/tree.h"

namespace bittern::datasets {
namespace {

using Lines = std::vector<std::string>;

const Lines kSix = {"de", "en", "es", "fr", "it", "ru"};

class VoxForge : public ::testing::Test {
 protected:
  // An archive as it unpacks, with `count` stand-ins for recordings.
  void archive(const std::string& path, int count = 2, const char* inner = "wav") {
    for (const char* file : {"etc/PROMPTS", "etc/README", "LICENSE"}) touch(folder_ / (path + "/" + file));
    for (int i = 0; i < count; ++i) touch(folder_ / fmt::format("{}/{}/a000{}.{}", path, inner, i, inner));
  }

  void build() {
    for (const std::string& language : kSix)
      for (int user = 0; user < 10; ++user)
        archive(fmt::format("{}/user{}{}-2008010{}-abc", language, language, user, user));
  }

  test::TempFolder folder_;
};

TEST_F(VoxForge, SixLanguages) {
  build();
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.layout, "voxforge");
  EXPECT_EQ(dataset.labels, kSix);
  for (const std::string& language : kSix) {
    EXPECT_EQ(count(dataset, Split::kTrain, language), 16U) << language;
    EXPECT_EQ(count(dataset, Split::kValidation, language), 2U) << language;
    EXPECT_EQ(count(dataset, Split::kTest, language), 2U) << language;
  }
  EXPECT_EQ(dataset.warnings, Lines{});
  EXPECT_EQ(dataset.digest(), must_scan(folder_.path()).digest());
  EXPECT_EQ(dataset.digest(), must_scan(folder_.path(), {.seed = 1}).digest());
}

TEST_F(VoxForge, TheTreeOfTheRepository) {
  for (const char* language : {"SpeechCorpus", "de", "Russian"})
    for (int user = 0; user < 3; ++user)
      archive(std::string(language) + "/Trunk/Audio/Main/16kHz_16bit/user" + std::to_string(user) + language +
              "-20090101-xyz");
  EXPECT_EQ(must_scan(folder_.path()).labels, (Lines{"de", "en", "ru"}));
}

TEST_F(VoxForge, SpeakersAreUsers) {
  build();
  for (const char* name :
       {"en/ann-20070101-abc", "en/ann-20080202-xyz", "de/ann-20090303-def", "en/a-b-20080101-q1",
        "en/anonymous-20080425-khi", "en/anonymous-20080425-khj", "fr/Anonyme-20080425-aaa",
        "en/cmu_us_awb_arctic", "en/x-2008-abc", "en/duck-20070308a", "en/duck-20070308b", "en/duck-20070309",
        "en/Duck-20070310-abc", "en/y-20080101ab", "en/-20080101-abc"})
    archive(name);
  const auto splits = splits_of_speakers(must_scan(folder_.path()));
  for (const auto& [speaker, of_speaker] : splits) EXPECT_EQ(of_speaker.size(), 1U) << speaker;
  for (const char* speaker :
       {"ann", "a-b", "anonymous-20080425-khi", "anonymous-20080425-khj", "Anonyme-20080425-aaa",
        "cmu_us_awb_arctic", "x-2008-abc", "duck", "y-20080101ab", "-20080101-abc"})
    EXPECT_TRUE(splits.contains(speaker)) << speaker;
  EXPECT_EQ(splits.size(), 60U + 10);
}

TEST_F(VoxForge, Flac) {
  build();
  archive("en/flac-20080101-abc", 3, "flac");
  EXPECT_EQ(must_scan(folder_.path()).clips.size(), 123U);
}

TEST_F(VoxForge, LanguagesOfATask) {
  build();
  const Dataset dataset = must_scan(folder_.path(), {.task = "en,de"});
  EXPECT_EQ(dataset.labels, (Lines{"de", "en"}));
  EXPECT_EQ(dataset.clips.size(), 40U);
  EXPECT_EQ(scan_error(folder_.path(), {.task = "en,nl"}),
            folder_.path().string() + ": label 'nl' has no clips; add some or remove its folder");
}

TEST_F(VoxForge, LanguageWithoutArchives) {
  build();
  std::filesystem::create_directories(folder_ / "pt");
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() + ": label 'pt' has no clips; add some or remove its folder");
}

TEST_F(VoxForge, ArchivesTwiceAndEmptyOnes) {
  for (const char* rate : {"16kHz_16bit", "48kHz_16bit"})
    for (const char* language : {"de", "en"})
      for (const char* name : {"a-20080101-abc", "b-20080101-abc", "c-20080101-abc"})
        archive(std::string(language) + "/" + rate + "/" + name);
  std::filesystem::create_directories(folder_ / "en/16kHz_16bit/d-20080101-abc/wav");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 12U);
  for (const Clip& clip : dataset.clips)
    EXPECT_NE(clip.path.string().find("16kHz_16bit"), std::string::npos) << clip.path;
  EXPECT_EQ(dataset.warnings,
            (Lines{"left out: 6 archives whose like was taken elsewhere (first: "
                   "de/48kHz_16bit/a-20080101-abc)",
                   "left out: 1 archive without recordings (first: en/16kHz_16bit/d-20080101-abc)"}));
}

TEST_F(VoxForge, AnEmptyArchiveHidesNoFullOneOfItsName) {
  build();
  std::filesystem::create_directories(folder_ / "en/16kHz_16bit/d-20080101-abc/wav");
  archive("en/48kHz_16bit/d-20080101-abc", 3);
  archive("en/48kHz_16bit/e-20080101-abc", 3);
  std::filesystem::create_directories(folder_ / "en/96kHz_24bit/e-20080101-abc/wav");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 126U);
  EXPECT_EQ(dataset.warnings,
            (Lines{"left out: 2 archives without recordings (first: en/16kHz_16bit/d-20080101-abc)"}));
}

TEST_F(VoxForge, LinksAndLooseRecordingsAreWarnedAbout) {
  build();
  std::filesystem::create_directory_symlink(folder_ / "en", folder_ / "de/again");
  touch(folder_ / "loose.wav");
  touch(folder_ / "en/Trunk/loose.wav");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 120U);
  EXPECT_EQ(dataset.warnings, (Lines{"left out: 1 folder that a link only leads to (first: de/again)",
                                     "left out: 2 recordings outside of archives (first: loose.wav)"}));
}

TEST_F(VoxForge, AnEmptyWavHidesNoFlac) {
  build();
  archive("en/flac-20080101-abc", 3, "flac");
  std::filesystem::create_directories(folder_ / "en/flac-20080101-abc/wav");
  archive("en/both-20080101-abc", 2, "flac");
  archive("en/both-20080101-abc", 2, "wav");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.clips.size(), 125U);
  EXPECT_EQ(dataset.warnings, Lines{});
}

TEST_F(VoxForge, ArchivesWithoutALanguageAbove) {
  archive("a-20080101-abc");
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() +
                ": 'a-20080101-abc' is an archive; expected a folder per language above archives");
}

TEST_F(VoxForge, LinksDoNotLoop) {
  build();
  std::filesystem::create_directory_symlink(folder_ / "en", folder_ / "en/again");
  EXPECT_EQ(must_scan(folder_.path()).clips.size(), 120U);
}

}  // namespace
}  // namespace bittern::datasets
