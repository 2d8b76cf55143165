// Every mel energy against the textbook, before the logarithm.
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "core/math.h"
#include "features/front_end.h"
#include "features/signals.h"
#include "features/textbook.h"
#ifdef BITTERN_TEST_AUDIO
#include "audio/audio.h"
#endif

namespace bittern::features {
namespace {

void expect_textbook(const LogMelSpec& spec, const std::vector<float>& samples, Isa isa = best_isa()) {
  auto front_end = FrontEnd::create(spec, isa);
  ASSERT_TRUE(front_end.ok()) << front_end.error().message;
  const auto reference = textbook::frames(spec, samples);
  const auto bins = static_cast<std::size_t>(spec.mel_bins);
  ASSERT_EQ(static_cast<std::size_t>(spec.frames(static_cast<std::int64_t>(samples.size()))),
            reference.size());
  std::vector<float> energies(reference.size() * bins);
  std::vector<float> features(energies.size());
  front_end->compute(samples, energies, Output::kEnergies);
  front_end->compute(samples, features);
  for (std::size_t f = 0; f < reference.size(); ++f) {
    for (std::size_t j = 0; j < bins; ++j) {
      const double expected = reference[f].energies[j];
      const float energy = energies[f * bins + j];
      ASSERT_LE(std::abs(static_cast<double>(energy) - expected), textbook::tolerance(expected, reference[f]))
          << "frame " << f << ", mel bin " << j << ", textbook " << expected;
      ASSERT_EQ(features[f * bins + j], math::log(energy + spec.offset))
          << "frame " << f << ", mel bin " << j;
    }
  }
}

class Accuracy : public testing::TestWithParam<Signal> {};

TEST_P(Accuracy, EveryMelEnergyAgreesWithTheTextbook) { expect_textbook({}, GetParam().samples); }

INSTANTIATE_TEST_SUITE_P(Signals, Accuracy, testing::ValuesIn(signals()),
                         [](const auto& info) { return info.param.name; });

TEST(Accuracy, OfSpecsDrawnAtRandom) {
  Random random{20};
  int tried = 0;
  for (int round = 0; tried < 40; ++round) {
    LogMelSpec spec;
    spec.sample_rate = 4000 + static_cast<int>(random.below(44001));
    spec.fft_size = 32 << random.below(9);
    spec.frame_length = 2 + static_cast<int>(random.below(static_cast<std::uint64_t>(spec.fft_size - 1)));
    spec.hop = 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(spec.frame_length)));
    spec.clip_samples = spec.frame_length;
    spec.mel_bins = 1 + static_cast<int>(random.below(80));
    spec.high_hz = random.uniform(1000.0F, static_cast<float>(spec.sample_rate) / 2);
    spec.low_hz = random.uniform(0.0F, 500.0F);
    if (!spec.validate().ok()) continue;
    ++tried;
    SCOPED_TRACE("round " + std::to_string(round) + ": fft_size " + std::to_string(spec.fft_size) +
                 ", frame_length " + std::to_string(spec.frame_length) + ", hop " + std::to_string(spec.hop) +
                 ", mel_bins " + std::to_string(spec.mel_bins));
    const auto frames = random.below(20);
    const auto count =
        static_cast<std::uint64_t>(spec.frame_length) + frames * static_cast<std::uint64_t>(spec.hop);
    expect_textbook(spec, white_noise(count, 1.0F, static_cast<std::uint64_t>(round)));
    if (HasFatalFailure()) return;
  }
}

TEST(Accuracy, OfRecordedSpeech) {
#ifdef BITTERN_TEST_AUDIO
  const std::filesystem::path samples =
      std::filesystem::path(BITTERN_SOURCE_DIR) / "samples/speech-commands-12/test";
  int clips = 0;
  for (const char* word : {"yes", "no", "stop", "_silence_"}) {
    for (const auto& entry : std::filesystem::directory_iterator(samples / word)) {
      if (!audio::has_audio_extension(entry.path())) continue;
      SCOPED_TRACE(entry.path().string());
      const auto clip = audio::decode(entry.path());
      ASSERT_TRUE(clip.ok()) << clip.error().message;
      expect_textbook({}, *clip);
      ++clips;
    }
  }
  EXPECT_GE(clips, 8);
#else
  GTEST_SKIP() << "needs BITTERN_TOOLS=ON, which reads recordings";
#endif
}

}  // namespace
}  // namespace bittern::features
