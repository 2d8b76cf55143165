#include <gtest/gtest.h>

#include "audio/audio.h"
#include "datasets/tree.h"

namespace bittern::datasets {
namespace {

class Load : public ::testing::Test {
 protected:
  // `good` recordings and `bad` files that are none, all in test.
  Dataset mixed(int good, int bad) {
    for (int i = 0; i < good; ++i) record(folder_ / ("test/yes/good" + std::to_string(i) + ".wav"), 160);
    for (int i = 0; i < bad; ++i) touch(folder_ / ("test/yes/bad" + std::to_string(i) + ".wav"));
    return must_scan(folder_.path());
  }

  test::TempFolder folder_;
};

TEST_F(Load, DecodesInOrder) {
  record(folder_ / "test/no/0a7c2a8d_nohash_0.flac", 1600);
  record(folder_ / "test/yes/with space, ü.wav", 800, 8000);
  record(folder_ / "train/yes/x.wav", 320);
  const Dataset dataset = must_scan(folder_.path());
  const auto loaded = load(dataset, Split::kTest, 16000);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->names,
            (std::vector<std::string>{"test/no/0a7c2a8d_nohash_0.flac", "test/yes/with space, ü.wav"}));
  EXPECT_EQ(loaded->labels, (std::vector<int>{0, 1}));
  EXPECT_EQ(loaded->speakers, (std::vector<std::string>{"0a7c2a8d", ""}));
  ASSERT_EQ(loaded->samples.size(), 2U);
  EXPECT_EQ(loaded->samples[0], audio::decode(folder_ / "test/no/0a7c2a8d_nohash_0.flac").value());
  EXPECT_EQ(loaded->samples[1].size(), 1600U);  // 8 kHz made 16 kHz
  EXPECT_TRUE(loaded->skipped.empty());
}

TEST_F(Load, SkipsAndListsWhatCannotBeRead) {
  const auto loaded = load(mixed(19, 1), Split::kTest, 16000);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->samples.size(), 19U);
  EXPECT_EQ(loaded->labels.size(), 19U);
  EXPECT_EQ(loaded->names.size(), 19U);
  EXPECT_EQ(loaded->speakers.size(), 19U);
  ASSERT_EQ(loaded->skipped.size(), 1U);
  EXPECT_TRUE(
      loaded->skipped[0].starts_with((folder_ / "test/yes/bad0.wav").string() + ": not an audio file"));
}

TEST_F(Load, MoreThanFivePercentIsAnError) {
  const auto loaded = load(mixed(37, 2), Split::kTest, 16000);  // 2 of 39: 5.1 %
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(loaded.error().message.find("more than 5 %"), std::string::npos) << loaded.error().message;
  EXPECT_NE(loaded.error().message.find("bad0.wav: not an audio file"), std::string::npos);
  EXPECT_EQ(loaded.error().message.find('\n'), std::string::npos);
  EXPECT_TRUE(load(mixed(38, 2), Split::kTest, 16000).ok());  // 2 of 40: 5 %
}

TEST_F(Load, WhatIsNotAcceptedIsSkippedAndCounted) {
  const Dataset dataset = mixed(39, 0);
  std::size_t calls = 0;
  const auto refuse = [&calls](std::size_t fewest) {
    return [&calls, fewest](std::span<const float> samples) -> Status {
      EXPECT_EQ(samples.size(), 160U);
      if (++calls > fewest) return {};
      return invalid_argument("of no use");
    };
  };
  const auto loaded = load(dataset, Split::kTest, 16000, nullptr, refuse(1));
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(calls, 39U);
  EXPECT_EQ(loaded->samples.size(), 38U);
  EXPECT_EQ(loaded->skipped,
            (std::vector<std::string>{(folder_ / "test/yes/good0.wav").string() + ": of no use"}));
  calls = 0;
  EXPECT_FALSE(load(dataset, Split::kTest, 16000, nullptr, refuse(2)).ok());
}

TEST_F(Load, BrokenLinkIsSkipped) {
  mixed(19, 0);
  std::filesystem::create_symlink(folder_ / "gone.wav", folder_ / "test/yes/link.wav");
  const auto loaded = load(must_scan(folder_.path()), Split::kTest, 16000);
  ASSERT_TRUE(loaded.ok());
  ASSERT_EQ(loaded->skipped.size(), 1U);
  EXPECT_EQ(loaded->skipped[0], (folder_ / "test/yes/link.wav").string() + ": no such file");
}

TEST_F(Load, SplitWithoutClips) {
  const auto loaded = load(mixed(1, 0), Split::kTrain, 16000);
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().message, folder_.path().string() + ": no train clips");
}

TEST_F(Load, Progress) {
  const Dataset dataset = mixed(20, 1);
  std::vector<std::size_t> calls;
  ASSERT_TRUE(load(dataset, Split::kTest, 16000, [&](std::size_t done, std::size_t total) {
                EXPECT_EQ(total, 21U);
                calls.push_back(done);
                return true;
              }).ok());
  ASSERT_EQ(calls.size(), 21U);
  EXPECT_EQ(calls.front(), 1U);
  EXPECT_EQ(calls.back(), 21U);
}

TEST_F(Load, ProgressCanStop) {
  const auto loaded =
      load(mixed(5, 0), Split::kTest, 16000, [](std::size_t done, std::size_t) { return done < 2; });
  ASSERT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.error().code, ErrorCode::kCancelled);
}

TEST_F(Load, PartsOfAFile) {
  std::vector<float> ramp;
  ramp.reserve(16000);
  for (int i = 0; i < 16000; ++i) ramp.push_back(static_cast<float>(i) / 32768.0F);
  ASSERT_TRUE(audio::write_wav(folder_ / "long.wav", ramp, 16000).ok());
  Dataset dataset;
  dataset.root = folder_.path();
  dataset.labels = {"_silence_"};
  Clip part;
  part.path = folder_ / "long.wav";
  part.split = Split::kTest;
  part.offset_seconds = 0.25;
  part.seconds = 0.5;
  dataset.clips = {part};
  const auto loaded = load(dataset, Split::kTest, 16000);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ(loaded->samples[0], std::vector<float>(ramp.begin() + 4000, ramp.begin() + 12000));
  EXPECT_EQ(loaded->names[0], "long.wav@0.250s");

  dataset.clips[0].offset_seconds = 0.75;
  const auto beyond = load(dataset, Split::kTest, 16000);
  ASSERT_FALSE(beyond.ok());
  EXPECT_NE(beyond.error().message.find("long.wav: ends before 1.250 s"), std::string::npos);
}

TEST_F(Load, DigitalSilence) {
  Dataset dataset;
  dataset.labels = {"_silence_"};
  dataset.clips.resize(1);
  dataset.clips[0].seconds = 1;
  const auto loaded = load(dataset, Split::kTrain, 8000);
  ASSERT_TRUE(loaded.ok());
  EXPECT_EQ(loaded->samples[0], std::vector<float>(8000));
  EXPECT_EQ(loaded->names[0], "(silence)");
}

}  // namespace
}  // namespace bittern::datasets
