#include "features/log_mel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "core/aligned.h"
#include "core/math.h"
#include "features/signals.h"

namespace bittern::features {
namespace {

constexpr float kGuard = -12345.0F;

// The rows of compute() as bits, so that comparing tells -0 from 0; checks that it wrote nothing else.
std::vector<std::uint32_t> bits_of(LogMel& log_mel, std::span<const float> samples) {
  const LogMelSpec& spec = log_mel.spec();
  const auto size = static_cast<std::size_t>(spec.frames(static_cast<std::int64_t>(samples.size()))) *
                    static_cast<std::size_t>(spec.mel_bins);
  std::vector<float> output(size + 64, kGuard);
  log_mel.compute(samples, std::span(output).first(size));
  for (std::size_t i = size; i < output.size(); ++i) EXPECT_EQ(output[i], kGuard) << "guard " << i - size;
  std::vector<std::uint32_t> bits(size);
  std::transform(output.begin(), output.begin() + static_cast<std::ptrdiff_t>(size), bits.begin(),
                 [](float x) { return std::bit_cast<std::uint32_t>(x); });
  return bits;
}

// The rows of push() over chunks of the lengths that `next_chunk` gives.
template <class NextChunk>
std::vector<std::uint32_t> pushed_bits(LogMel& log_mel, std::span<const float> samples,
                                       NextChunk next_chunk) {
  const auto bins = static_cast<std::size_t>(log_mel.spec().mel_bins);
  std::vector<std::uint32_t> bits;
  for (std::size_t at = 0; at < samples.size();) {
    const std::size_t chunk = std::min<std::size_t>(next_chunk(), samples.size() - at);
    const std::size_t expected = log_mel.frames_after(chunk);
    std::vector<float> output(expected * bins + 64, kGuard);
    const std::size_t rows =
        log_mel.push(samples.subspan(at, chunk), std::span(output).first(expected * bins));
    EXPECT_EQ(rows, expected);
    for (std::size_t i = expected * bins; i < output.size(); ++i) EXPECT_EQ(output[i], kGuard);
    for (std::size_t i = 0; i < rows * bins; ++i) bits.push_back(std::bit_cast<std::uint32_t>(output[i]));
    at += chunk;
  }
  return bits;
}

LogMel make(const LogMelSpec& spec, Isa isa = best_isa()) {
  auto log_mel = LogMel::create(spec, isa);
  EXPECT_TRUE(log_mel.ok()) << log_mel.error().message;
  return std::move(*log_mel);
}

std::vector<LogMelSpec> specs() {
  std::vector<LogMelSpec> all(1);
  LogMelSpec small;  // the smallest of everything, one butterfly deep
  small.fft_size = 32, small.frame_length = 2, small.hop = 1, small.clip_samples = 2, small.mel_bins = 1;
  all.push_back(small);
  LogMelSpec odd;  // nothing a multiple of anything
  odd.sample_rate = 11025, odd.fft_size = 512, odd.frame_length = 509, odd.hop = 77, odd.clip_samples = 3001;
  odd.mel_bins = 23, odd.low_hz = 0, odd.high_hz = 5512.5F;
  all.push_back(odd);
  LogMelSpec large;
  large.sample_rate = 48000, large.fft_size = 8192, large.frame_length = 5000, large.hop = 4999;
  large.clip_samples = 48000, large.mel_bins = 130, large.high_hz = 20000;
  all.push_back(large);
  LogMelSpec normalized;
  for (int j = 0; j < normalized.mel_bins; ++j) {
    normalized.normalize_scale.push_back(0.1F + 0.01F * static_cast<float>(j));
    normalized.normalize_bias.push_back(1.0F - 0.3F * static_cast<float>(j));
  }
  all.push_back(normalized);
  for (const int fft_size : {64, 128, 256, 2048, 4096}) {
    LogMelSpec spec;
    spec.fft_size = fft_size, spec.frame_length = fft_size * 3 / 4 + 1, spec.hop = fft_size / 3;
    spec.clip_samples = 16000, spec.mel_bins = fft_size / 32, spec.low_hz = 300;
    all.push_back(spec);
  }
  return all;
}

TEST(LogMel, EveryInstructionSetGivesTheSameBits) {
  for (const LogMelSpec& spec : specs()) {
    SCOPED_TRACE("fft_size " + std::to_string(spec.fft_size));
    // Each number of frames from none to more than two of the widest blocks.
    const auto hop = static_cast<std::size_t>(spec.hop);
    LogMel baseline = make(spec, Isa::kBaseline);
    for (std::size_t frames = 0; frames < 36; ++frames) {
      const auto samples =
          white_noise(static_cast<std::size_t>(spec.frame_length) - 1 + frames * hop, 1.0F, frames);
      const auto expected = bits_of(baseline, samples);
      for (const Isa isa : available_isas()) {
        LogMel log_mel = make(spec, isa);
        ASSERT_EQ(bits_of(log_mel, samples), expected) << name(isa) << ", " << frames << " frames";
      }
    }
  }
}

TEST(LogMel, EveryInstructionSetGivesTheSameBitsForEverySignal) {
  LogMel baseline = make({}, Isa::kBaseline);
  for (const Signal& signal : signals()) {
    for (const Isa isa : available_isas()) {
      LogMel log_mel = make({}, isa);
      ASSERT_EQ(bits_of(log_mel, signal.samples), bits_of(baseline, signal.samples))
          << name(isa) << ", " << signal.name;
    }
  }
}

TEST(LogMel, AnyChunkingGivesTheBitsOfTheWhole) {
  Random random{7};
  for (const LogMelSpec& spec : specs()) {
    SCOPED_TRACE("fft_size " + std::to_string(spec.fft_size));
    const auto samples = white_noise(
        static_cast<std::size_t>(spec.frame_length) + 40 * static_cast<std::size_t>(spec.hop) + 3, 1.0F, 9);
    for (const Isa isa : available_isas()) {
      LogMel log_mel = make(spec, isa);
      const auto expected = bits_of(log_mel, samples);
      const auto hop = static_cast<std::size_t>(spec.hop);
      for (const std::size_t chunk : {std::size_t{1}, hop, 3 * hop + 1, samples.size()}) {
        if (chunk == 1 && samples.size() > 50'000) continue;
        log_mel.reset();
        ASSERT_EQ(pushed_bits(log_mel, samples, [&] { return chunk; }), expected)
            << name(isa) << ", chunks of " << chunk;
      }
      for (int round = 0; round < 5; ++round) {
        log_mel.reset();
        ASSERT_EQ(pushed_bits(log_mel, samples, [&] { return random.below(5 * hop); }), expected)
            << name(isa) << ", round " << round;
      }
    }
  }
}

TEST(LogMel, ResetForgetsAndComputeDoesNotDisturbWhatWasPushed) {
  const auto samples = white_noise(4000, 1.0F, 11);
  LogMel log_mel = make({});
  const auto expected = bits_of(log_mel, samples);
  std::vector<float> rows(std::size_t{64} * 30);
  log_mel.push(std::span(samples).subspan(1000, 777), rows);
  EXPECT_GT(log_mel.frames_after(159), 0U);
  log_mel.reset();
  EXPECT_EQ(log_mel.frames_after(399), 0U);
  const auto interrupted = pushed_bits(log_mel, samples, [&] {
    bits_of(log_mel, std::span(samples).first(2222));
    return 190;
  });
  EXPECT_EQ(interrupted, expected);
}

TEST(LogMel, AFramesFeaturesDependOnItsSamplesOnly) {
  const auto samples = white_noise(16000, 1.0F, 12);
  LogMel log_mel = make({});
  const auto whole = bits_of(log_mel, samples);
  for (const std::size_t frame : {0, 1, 7, 50, 97}) {
    const auto alone = bits_of(log_mel, std::span(samples).subspan(frame * 160, 400));
    EXPECT_TRUE(
        std::equal(alone.begin(), alone.end(), whole.begin() + static_cast<std::ptrdiff_t>(frame * 64)));
  }
}

TEST(LogMel, SilenceIsTheLogarithmOfTheOffset) {
  LogMel log_mel = make({});
  const std::vector<float> silence(400, -0.0F);
  for (const std::uint32_t bits : bits_of(log_mel, silence)) {
    EXPECT_EQ(std::bit_cast<float>(bits), math::log(1e-6F));
  }
}

TEST(LogMel, NormalisationIsTheLastStep) {
  LogMelSpec spec;
  LogMel plain = make(spec);
  spec.normalize_scale.assign(64, 0.25F);
  spec.normalize_bias.assign(64, 2.0F);
  spec.normalize_scale[5] = -3.0F;
  spec.normalize_bias[5] = 0.125F;
  LogMel normalized = make(spec);
  const auto samples = white_noise(2000, 0.5F, 13);
  const auto x = bits_of(plain, samples);
  const auto y = bits_of(normalized, samples);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const bool five = i % 64 == 5;
    const float product = std::bit_cast<float>(x[i]) * (five ? -3.0F : 0.25F);
    ASSERT_EQ(std::bit_cast<float>(y[i]), product + (five ? 0.125F : 2.0F)) << i;
  }
}

// The contract asks for finite samples; others still give the same finite features everywhere.
TEST(LogMel, StaysFiniteWhateverTheSamples) {
  const float hostile[] = {std::numeric_limits<float>::quiet_NaN(),
                           std::numeric_limits<float>::infinity(),
                           -std::numeric_limits<float>::infinity(),
                           std::numeric_limits<float>::max(),
                           std::numeric_limits<float>::denorm_min(),
                           1e-30F,
                           1e30F,
                           -1e-13F};
  auto samples = white_noise(3000, 1.0F, 14);
  Random random{15};
  for (int i = 0; i < 300; ++i)
    samples[random.below(samples.size())] = hostile[random.below(std::size(hostile))];
  LogMel baseline = make({}, Isa::kBaseline);
  const auto expected = bits_of(baseline, samples);
  for (const std::uint32_t bits : expected) ASSERT_TRUE(std::isfinite(std::bit_cast<float>(bits)));
  for (const Isa isa : available_isas()) {
    LogMel log_mel = make({}, isa);
    EXPECT_EQ(bits_of(log_mel, samples), expected) << name(isa);
  }
}

TEST(LogMel, ARefusedSpecGivesItsReason) {
  LogMelSpec spec;
  spec.hop = 0;
  const auto log_mel = LogMel::create(spec);
  ASSERT_FALSE(log_mel.ok());
  EXPECT_EQ(log_mel.error().message, spec.validate().error().message);
}

// A hash over the features of fixed noise: one number, the same on every machine and for ever, since models
// store digests of what follows from them.
TEST(LogMel, BitsAreThoseOfEveryOtherMachine) {
  LogMel log_mel = make({});
  std::uint64_t hash = 0;
  for (const std::uint32_t bits : bits_of(log_mel, white_noise(16000, 0.5F, 16))) hash = hash * 31 + bits;
  EXPECT_EQ(hash, 17761920730527433355U);
}

TEST(LogMel, MemoryOfTheCallersGivesTheSameBits) {
  const LogMelSpec spec;
  const std::vector<float> samples = white_noise(30'000, 1.0F, 3);
  for (const Isa isa : available_isas()) {
    auto own = LogMel::create(spec, isa).value();
    auto given = LogMel::create_without_memory(spec, isa).value();
    AlignedBuffer<float> work(given.work_floats());
    std::fill(work.span().begin(), work.span().end(), std::numeric_limits<float>::quiet_NaN());
    std::vector<float> expected(static_cast<std::size_t>(spec.frames(30'000)) * 64), said(expected.size());
    own.compute(samples, expected);
    given.compute_in(work.span(), samples, said);
    EXPECT_EQ(said, expected) << name(isa);
  }
}

}  // namespace
}  // namespace bittern::features
