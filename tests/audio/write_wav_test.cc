#include <gtest/gtest.h>

#include <limits>

#include "audio/audio.h"
#include "audio/audio_files.h"

namespace bittern::audio {
namespace {

TEST(WriteWav, ReadsBackTheSame) {
  const test::TempFolder folder;
  std::vector<float> samples;
  for (int value = -32768; value < 32768; value += 17)
    samples.push_back(static_cast<float>(value) / 32768.0F);
  ASSERT_TRUE(write_wav(folder / "clip.wav", samples, 16000).ok());
  EXPECT_EQ(decode(folder / "clip.wav").value(), samples);
}

TEST(WriteWav, Bytes) {
  const test::TempFolder folder;
  ASSERT_TRUE(write_wav(folder / "clip.wav", {0.5F, -1}, 8000).ok());
  EXPECT_EQ(test::read_bytes(folder / "clip.wav"),
            test::riff(test::chunk("fmt ", test::format_body(1, 1, 8000, 16)) +
                       test::chunk("data", test::pcm16({16384, -32768}))));
}

TEST(WriteWav, ClipsToFullScale) {
  const test::TempFolder folder;
  ASSERT_TRUE(write_wav(folder / "clip.wav", {1.5F, -7, 1}, 16000).ok());
  EXPECT_EQ(decode(folder / "clip.wav").value(),
            (std::vector<float>{32767 / 32768.0F, -1, 32767 / 32768.0F}));
}

TEST(WriteWav, RefusesWhatIsNoSound) {
  const test::TempFolder folder;
  EXPECT_FALSE(write_wav(folder / "clip.wav", {0, std::numeric_limits<float>::quiet_NaN()}, 16000).ok());
  EXPECT_FALSE(write_wav(folder / "clip.wav", {0}, 0).ok());
  EXPECT_FALSE(std::filesystem::exists(folder / "clip.wav"));
}

TEST(WriteWav, MissingFolder) {
  const test::TempFolder folder;
  const Status status = write_wav(folder / "none/clip.wav", {0}, 16000);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace bittern::audio
