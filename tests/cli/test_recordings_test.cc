#include "cli/test_recordings.h"

#include <gtest/gtest.h>

#include "datasets/tree.h"

namespace bittern::cli {
namespace {

class Recordings : public testing::Test {
 protected:
  reproduce::Experiment experiment() const {
    reproduce::Experiment of;
    of.tasks.push_back({"words", folder_ / "data", {}, {}});
    return of;
  }
  test::TempFolder folder_;
};

TEST_F(Recordings, AreTheFilesWhereBrowsersPlayThem) {
  datasets::record(folder_ / "data/test/no/1.flac");
  datasets::record(folder_ / "data/test/yes/1.wav");
  const reproduce::Experiment of = experiment();
  TestRecordings recordings(of);
  EXPECT_EQ(recordings.of("words", "test/no/1.flac"),
            Sound(test::read_bytes(folder_ / "data/test/no/1.flac"), "audio/flac"));
  EXPECT_EQ(recordings.of("words", "test/yes/1.wav").second, "audio/wav");
}

TEST_F(Recordings, AreTestClipsAndNothingElse) {
  datasets::record(folder_ / "data/test/no/1.wav");
  datasets::record(folder_ / "data/train/no/2.wav");
  datasets::record(folder_ / "secret.wav");
  const reproduce::Experiment of = experiment();
  TestRecordings recordings(of);
  EXPECT_NE(recordings.of("words", "test/no/1.wav").first, "");
  const std::string secret = (folder_ / "secret.wav").string();
  for (const std::string& name : {secret, std::string("../secret.wav"), std::string("test/../../secret.wav"),
                                  std::string("train/no/2.wav"), std::string()})
    EXPECT_EQ(recordings.of("words", name), Sound()) << name;
  EXPECT_EQ(recordings.of("other", "test/no/1.wav"), Sound());
}

TEST_F(Recordings, PiecesOfBackgroundNoiseAreWrittenAnew) {
  std::string testing;
  for (const char* word : {"yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go", "cat"}) {
    for (const char* speaker : {"0000000a", "0000000b", "0000000c"}) {
      const std::string file = std::string(word) + "/" + speaker + "_nohash_0.wav";
      datasets::touch(folder_ / "data" / file);
      if (speaker[7] == 'c') testing += file + "\n";
    }
  }
  test::write_bytes(folder_ / "data/testing_list.txt", testing);
  test::write_bytes(folder_ / "data/validation_list.txt", "yes/0000000b_nohash_0.wav\n");
  datasets::record(folder_ / "data/_background_noise_/hum.wav", 16000 * 20);
  const reproduce::Experiment of = experiment();
  TestRecordings recordings(of);
  const datasets::Dataset dataset = datasets::must_scan(folder_ / "data");
  int pieces = 0;
  for (const datasets::Clip* clip : dataset.of(datasets::Split::kTest)) {
    const std::string name = datasets::clip_name(*clip, dataset.root);
    if (name.find('@') == std::string::npos && name != "(silence)") continue;
    ++pieces;
    const Sound sound = recordings.of("words", name);
    EXPECT_TRUE(sound.first.starts_with("RIFF")) << name;
    EXPECT_EQ(sound.first.size(), 44U + 2 * 16000) << name;
    EXPECT_EQ(sound.second, "audio/wav");
  }
  EXPECT_GT(pieces, 0);
}

}  // namespace
}  // namespace bittern::cli
