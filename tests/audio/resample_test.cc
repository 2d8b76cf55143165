#include "audio/resampler.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "audio/audio.h"
#include "audio/audio_files.h"
#include "audio/temp_folder.h"
#include "core/sample.h"

namespace bittern::audio {
namespace {

TEST(Resample, Length) {
  for (const int from : {8000, 11025, 16001, 22050, 44100, 48000, 96000}) {
    for (const int count : {100, 1000, 16000, 44100}) {
      const auto samples = resample(test::tone(count), from, 16000);
      ASSERT_TRUE(samples.ok());
      EXPECT_EQ(static_cast<double>(samples->size()), std::round(count * 16000.0 / from))
          << from << " " << count;
    }
  }
}

TEST(Resample, EqualRatesChangeNothing) {
  const std::vector<float> samples = test::tone(100);
  EXPECT_EQ(resample(samples, 16000, 16000).value(), samples);
}

TEST(Resample, KeepsATone) {
  for (const int from : {8000, 22050, 48000}) {
    const auto samples = resample(test::tone(from, 1000, from), from, 16000);
    ASSERT_TRUE(samples.ok());
    const std::vector<float> expected = test::tone(16000, 1000, 16000);
    // Away from the ends, where the filter reaches into nothing.
    for (std::size_t i = 1000; i < 15000; ++i)
      ASSERT_NEAR((*samples)[i], expected[i], 2e-4) << from << " " << i;
  }
}

// The filter rings beyond the loudest sample; nothing may leave what decoding promises.
TEST(Resample, DecodingStaysWithinTheLargestSampleAllowed) {
  const test::TempFolder folder;
  std::vector<float> square;
  square.reserve(44100);
  for (int i = 0; i < 44100; ++i) square.push_back(i / 50 % 2 == 0 ? kMaxSample : -kMaxSample);
  ASSERT_TRUE(test::write_audio(folder / "loud.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, square, 44100, 1));
  const auto samples = decode(folder / "loud.wav", {.sample_rate = 16000});
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  float most = 0;
  for (const float sample : *samples) most = std::max(most, std::abs(sample));
  EXPECT_EQ(most, kMaxSample);
}

TEST(Resample, RemovesWhatTheNewRateCannotHold) {
  const auto samples = resample(test::tone(48000, 11000, 48000), 48000, 16000);
  ASSERT_TRUE(samples.ok());
  for (std::size_t i = 1000; i < 15000; ++i) ASSERT_LT(std::abs((*samples)[i]), 1e-4F) << i;
}

TEST(Resample, PiecesMakeNoDifference) {
  const std::vector<float> samples = test::tone(44100, 440, 44100);
  const auto whole = resample(samples, 44100, 16000);
  ASSERT_TRUE(whole.ok());
  for (const std::size_t size : {std::size_t{1}, std::size_t{7}, std::size_t{1000}, std::size_t{30000}}) {
    auto resampler = Resampler::create(44100, 16000);
    ASSERT_TRUE(resampler.ok());
    std::vector<float> output;
    for (std::size_t i = 0; i < samples.size(); i += size)
      ASSERT_TRUE(
          resampler->push(std::span(samples).subspan(i, std::min(size, samples.size() - i)), output).ok());
    ASSERT_TRUE(resampler->finish(output).ok());
    EXPECT_EQ(output, *whole) << size;
  }
}

TEST(Resample, NothingGivesNothing) { EXPECT_TRUE(resample({}, 8000, 16000).value().empty()); }

TEST(Resample, BadRates) {
  EXPECT_FALSE(resample({0}, 0, 16000).ok());
  EXPECT_FALSE(resample({0}, 16000, -1).ok());
  EXPECT_FALSE(resample({0}, 16000, 1000000000).ok());
}

}  // namespace
}  // namespace bittern::audio
