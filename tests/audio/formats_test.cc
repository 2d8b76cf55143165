// Every compressed format, and other rates and channel counts, through decode().
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "audio/audio.h"
#include "audio/audio_files.h"

namespace bittern::audio {
namespace {

// Signal to error in dB; the two must lie at the same place.
double snr(const std::vector<float>& expected, const std::vector<float>& actual) {
  double signal = 0;
  double error = 1e-30;
  for (std::size_t i = 0; i < std::min(expected.size(), actual.size()); ++i) {
    const double difference = static_cast<double>(expected[i]) - static_cast<double>(actual[i]);
    signal += static_cast<double>(expected[i]) * static_cast<double>(expected[i]);
    error += difference * difference;
  }
  return 10 * std::log10(signal / error);
}

struct Case {
  const char* name;
  int format;
  int rate;
  int channels;
  double least_snr;  // dB
};

class Formats : public ::testing::TestWithParam<Case> {};

TEST_P(Formats, GiveBackATone) {
  const Case& c = GetParam();
  const test::TempFolder folder;
  const auto path = folder / c.name;
  // One second at the file's rate; channel k carries the tone (k + 1) times as strong.
  const std::vector<float> mono = test::tone(c.rate, 440, c.rate, 0.2);
  std::vector<float> interleaved;
  for (const float sample : mono)
    for (int k = 0; k < c.channels; ++k) interleaved.push_back(sample * static_cast<float>(k + 1));
  if (!test::write_audio(path, c.format, interleaved, c.rate, c.channels))
    GTEST_SKIP() << "this libsndfile cannot write " << c.name;
  const auto samples = decode(path);
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(samples->size(), 16000U);
  std::vector<float> expected = test::tone(16000, 440, 16000, 0.2 * (c.channels + 1) / 2);
  EXPECT_GT(snr(expected, *samples), c.least_snr);
  EXPECT_EQ(decode(path).value(), *samples) << "not the same twice";
}

INSTANTIATE_TEST_SUITE_P(
    All, Formats,
    ::testing::Values(Case{"wav_16k.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 16000, 1, 75},
                      Case{"wav_44k_stereo.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 44100, 2, 45},
                      Case{"wav_8k.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, 45},
                      Case{"wav_96k_six.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, 96000, 6, 45},
                      Case{"ulaw_8k.wav", SF_FORMAT_WAV | SF_FORMAT_ULAW, 8000, 1, 30},
                      Case{"flac_16k.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, 16000, 1, 75},
                      Case{"flac24_48k_stereo.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24, 48000, 2, 45},
                      Case{"vorbis_16k.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 16000, 1, 20},
                      Case{"vorbis_44k_stereo.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS, 44100, 2, 20},
                      Case{"opus_48k.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 48000, 1, 15},
                      Case{"opus_16k_stereo.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS, 16000, 2, 15},
                      Case{"mp3_16k.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 16000, 1, 15},
                      Case{"mp3_44k_stereo.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, 44100, 2, 15}),
    [](const auto& info) {
      const std::string name = info.param.name;
      return name.substr(0, name.find('.'));
    });

TEST(Decode, GoesByContentNotByName) {
  const test::TempFolder folder;
  ASSERT_TRUE(test::write_audio(folder / "clip.wav", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, test::tone(1000)));
  const auto samples = decode(folder / "clip.wav");
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(samples->size(), 1000U);
}

TEST(Decode, TakesSpacesAndUnicodeInNames) {
  const test::TempFolder folder;
  const auto path = folder / "ein Wört, 語 и ещё.wav";
  ASSERT_TRUE(test::write_audio(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, test::tone(1000)));
  EXPECT_TRUE(decode(path).ok());
}

TEST(Decode, WantedRate) {
  const test::TempFolder folder;
  ASSERT_TRUE(test::write_audio(folder / "clip.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, test::tone(16000)));
  EXPECT_EQ(decode(folder / "clip.wav", {.sample_rate = 8000}).value().size(), 8000U);
  const auto refused = decode(folder / "clip.wav", {.sample_rate = 0});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
}

TEST(HasAudioExtension, KnowsTheFormatsThatDecodeReads) {
  for (const char* name : {"a.wav", "a.WAV", "b/a.flac", "a.Ogg", "a.oga", "a.opus", "a.mp3", "a.b.wav"})
    EXPECT_TRUE(has_audio_extension(name)) << name;
  for (const char* name : {"a", "wav", ".wav", "a.txt", "a.wav.txt", "a.m4a", "a.wavx", ""})
    EXPECT_FALSE(has_audio_extension(name)) << name;
}

}  // namespace
}  // namespace bittern::audio
