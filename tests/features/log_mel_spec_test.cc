#include "features/log_mel_spec.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <string>

namespace bittern::features {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(LogMelSpec, DefaultsAreValidAndGiveNinetyEightFramesASecond) {
  const LogMelSpec spec;
  const Status status = spec.validate();
  EXPECT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(spec.clip_frames(), 98);
}

TEST(LogMelSpec, CountsWholeFramesOnly) {
  const LogMelSpec spec;
  EXPECT_EQ(spec.frames(0), 0);
  EXPECT_EQ(spec.frames(399), 0);
  EXPECT_EQ(spec.frames(400), 1);
  EXPECT_EQ(spec.frames(559), 1);
  EXPECT_EQ(spec.frames(560), 2);
  EXPECT_EQ(spec.frames(-1), 0);
  EXPECT_EQ(spec.frames(std::numeric_limits<std::int64_t>::max()), std::numeric_limits<int>::max());
}

struct BadSpec {
  std::string name;
  std::string field;  // that the reason must name
  std::function<void(LogMelSpec&)> spoil;
};

std::vector<BadSpec> bad_specs() {
  return {
      {"RateZero", "sample_rate", [](LogMelSpec& s) { s.sample_rate = 0; }},
      {"RateHuge", "sample_rate", [](LogMelSpec& s) { s.sample_rate = 384001; }},
      {"RateNegative", "sample_rate", [](LogMelSpec& s) { s.sample_rate = -16000; }},
      {"FftNoPowerOfTwo", "fft_size", [](LogMelSpec& s) { s.fft_size = 1000; }},
      {"FftTiny", "fft_size", [](LogMelSpec& s) { s.fft_size = 16; }},
      {"FftHuge", "fft_size", [](LogMelSpec& s) { s.fft_size = 16384; }},
      {"FftNegative", "fft_size", [](LogMelSpec& s) { s.fft_size = std::numeric_limits<int>::min(); }},
      {"FrameAboveFft", "frame_length", [](LogMelSpec& s) { s.frame_length = 1025; }},
      {"FrameZero", "frame_length", [](LogMelSpec& s) { s.frame_length = 0; }},
      {"HopZero", "hop", [](LogMelSpec& s) { s.hop = 0; }},
      {"HopNegative", "hop", [](LogMelSpec& s) { s.hop = -160; }},
      {"HopAboveFrame", "hop", [](LogMelSpec& s) { s.hop = 401; }},
      {"ClipBelowFrame", "clip_samples", [](LogMelSpec& s) { s.clip_samples = 399; }},
      {"ClipAboveSixteenMinutes", "clip_samples", [](LogMelSpec& s) { s.clip_samples = (1 << 24) + 1; }},
      {"NoMelBins", "mel_bins", [](LogMelSpec& s) { s.mel_bins = 0; }},
      {"MelBinsHuge", "mel_bins", [](LogMelSpec& s) { s.mel_bins = 1025; }},
      {"LowNegative", "low_hz", [](LogMelSpec& s) { s.low_hz = -1; }},
      {"LowNaN", "low_hz", [](LogMelSpec& s) { s.low_hz = kNaN; }},
      {"LowAboveHigh", "high_hz", [](LogMelSpec& s) { s.low_hz = 7800; }},
      {"HighAboveNyquist", "high_hz", [](LogMelSpec& s) { s.high_hz = 8001; }},
      {"HighNaN", "high_hz", [](LogMelSpec& s) { s.high_hz = kNaN; }},
      {"HighInfinite", "high_hz", [](LogMelSpec& s) { s.high_hz = kInfinity; }},
      {"OffsetZero", "offset", [](LogMelSpec& s) { s.offset = 0; }},
      {"OffsetNegative", "offset", [](LogMelSpec& s) { s.offset = -1e-6F; }},
      {"OffsetSubnormal", "offset", [](LogMelSpec& s) { s.offset = 1e-40F; }},
      {"OffsetHuge", "offset", [](LogMelSpec& s) { s.offset = 1e4F; }},
      {"OffsetNaN", "offset", [](LogMelSpec& s) { s.offset = kNaN; }},
      {"ScaleWithoutBias", "normalize_scale", [](LogMelSpec& s) { s.normalize_scale.assign(64, 1.0F); }},
      {"BiasWithoutScale", "normalize_bias", [](LogMelSpec& s) { s.normalize_bias.assign(64, 1.0F); }},
      {"NormalisationOfAnotherLength", "normalize_scale",
       [](LogMelSpec& s) {
         s.normalize_scale.assign(63, 1.0F);
         s.normalize_bias.assign(63, 0.0F);
       }},
      {"ScaleNaN", "normalize_scale[7]",
       [](LogMelSpec& s) {
         s.normalize_scale.assign(64, 1.0F);
         s.normalize_bias.assign(64, 0.0F);
         s.normalize_scale[7] = kNaN;
       }},
      {"BiasInfinite", "normalize_bias[63]",
       [](LogMelSpec& s) {
         s.normalize_scale.assign(64, 1.0F);
         s.normalize_bias.assign(64, 0.0F);
         s.normalize_bias[63] = -kInfinity;
       }},
      {"FilterBetweenFftBins", "mel bin 1 of 512", [](LogMelSpec& s) { s.mel_bins = 512; }},
      {"FftTooCoarse", "mel bin 0 of 64",
       [](LogMelSpec& s) { s.fft_size = 128, s.frame_length = 100, s.hop = 50; }},
  };
}

class RefusedSpec : public testing::TestWithParam<BadSpec> {};

TEST_P(RefusedSpec, SaysWhichFieldAndWhy) {
  LogMelSpec spec;
  GetParam().spoil(spec);
  const Status status = spec.validate();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_NE(status.error().message.find(GetParam().field), std::string::npos) << status.error().message;
  EXPECT_EQ(status.error().message.find('\n'), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(LogMelSpec, RefusedSpec, testing::ValuesIn(bad_specs()),
                         [](const auto& info) { return info.param.name; });

TEST(LogMelSpec, TakesTheBordersOfEveryRange) {
  LogMelSpec spec;
  spec.low_hz = 0;
  spec.high_hz = 8000;
  spec.hop = spec.frame_length = spec.fft_size;
  spec.clip_samples = 1 << 24;
  spec.offset = 1e-12F;
  spec.normalize_scale.assign(64, -1e6F);
  spec.normalize_bias.assign(64, 1e6F);
  const Status status = spec.validate();
  EXPECT_TRUE(status.ok()) << status.error().message;
}

}  // namespace
}  // namespace bittern::features
