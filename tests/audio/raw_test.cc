#include <gtest/gtest.h>

#include <sstream>

#include "audio/audio.h"
#include "audio/audio_files.h"

namespace bittern::audio {
namespace {

Expected<std::vector<float>> raw(const std::string& bytes, const RawFormat& format,
                                 const DecodeOptions& options = {}) {
  std::istringstream stream(bytes);
  return decode_raw(stream, "x.pcm", format, options);
}

TEST(Raw, Mono) {
  EXPECT_EQ(raw(test::pcm16({0, 16384, -32768, 32767, -1}), {}).value(),
            (std::vector<float>{0, 0.5F, -1, 32767 / 32768.0F, -1 / 32768.0F}));
}

TEST(Raw, StereoIsAveraged) {
  EXPECT_EQ(raw(test::pcm16({100, 300, -100, 100}), {.channels = 2}).value(),
            (std::vector<float>{200 / 32768.0F, 0}));
}

TEST(Raw, IsResampled) {
  const std::string bytes(static_cast<std::size_t>(8000) * 2, '\0');
  EXPECT_EQ(raw(bytes, {.sample_rate = 8000}).value().size(), 16000U);
}

TEST(Raw, LongerThanOnePiece) {
  std::vector<int> values;
  values.reserve(50001);
  for (int i = 0; i < 50001; ++i) values.push_back(i % 30000);
  const auto samples = raw(test::pcm16(values), {});
  ASSERT_TRUE(samples.ok());
  ASSERT_EQ(samples->size(), values.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    ASSERT_EQ((*samples)[i], static_cast<float>(values[i]) / 32768.0F) << i;
}

TEST(Raw, OddByteAtTheEnd) {
  const auto samples = raw(test::pcm16({1, 2, 3}) + "x", {});
  ASSERT_FALSE(samples.ok());
  EXPECT_EQ(samples.error().message,
            "x.pcm: 1 bytes are left over after the last whole frame of 1 x 16 bits");
  EXPECT_FALSE(raw(test::pcm16({1, 2, 3}), {.channels = 2}).ok());
}

TEST(Raw, Nothing) {
  const auto samples = raw("", {});
  ASSERT_FALSE(samples.ok());
  EXPECT_EQ(samples.error().message, "x.pcm: no samples in it");
}

TEST(Raw, WhatHasAHeaderIsNotRaw) {
  for (const char* start :
       {"RIFF", "RIFX", "RF64", "fLaC", "OggS", "ID3\3", "FORM", ".snd", "dns.", "riff"}) {
    const auto samples = raw(start + std::string(100, '\0'), {});
    ASSERT_FALSE(samples.ok()) << start;
    EXPECT_NE(samples.error().message.find(" file, not raw PCM"), std::string::npos)
        << samples.error().message;
  }
  // Only at the start, and only all of it.
  EXPECT_TRUE(raw("RIF_", {}).ok());
  EXPECT_TRUE(raw(std::string(16384, '\0') + "RIFF", {}).ok());
}

TEST(Raw, FilesOfRarerKindsAreNotRaw) {
  const test::TempFolder folder;
  for (const int format : {SF_FORMAT_AIFF | SF_FORMAT_PCM_16, SF_FORMAT_AU | SF_FORMAT_PCM_16,
                           SF_FORMAT_AU | SF_ENDIAN_LITTLE | SF_FORMAT_PCM_16,
                           SF_FORMAT_W64 | SF_FORMAT_PCM_16, SF_FORMAT_RF64 | SF_FORMAT_PCM_16}) {
    ASSERT_TRUE(test::write_audio(folder / "clip", format, test::tone(1000)));
    const auto samples = raw(test::read_bytes(folder / "clip"), {});
    ASSERT_FALSE(samples.ok()) << format;
    EXPECT_NE(samples.error().message.find(" file, not raw PCM"), std::string::npos)
        << samples.error().message;
  }
}

TEST(Raw, BadFormat) {
  EXPECT_FALSE(raw("ab", {.sample_rate = 0}).ok());
  EXPECT_FALSE(raw("ab", {.sample_rate = -16000}).ok());
  EXPECT_FALSE(raw("ab", {.channels = 0}).ok());
  EXPECT_FALSE(raw("ab", {.channels = 100000}).ok());
}

TEST(Raw, TooLong) {
  const auto samples = raw(std::string(64004, '\0'), {}, {.max_seconds = 2});
  ASSERT_FALSE(samples.ok());
  EXPECT_EQ(samples.error().message, "x.pcm: longer than 2 seconds");
}

TEST(Raw, BadLimit) {
  EXPECT_FALSE(raw("ab", {}, {.max_seconds = 0}).ok());
  EXPECT_FALSE(raw("ab", {}, {.max_seconds = std::nan("")}).ok());
}

}  // namespace
}  // namespace bittern::audio
