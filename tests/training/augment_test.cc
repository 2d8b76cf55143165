// What training does to a clip, draw by draw, over random lengths and settings.
#include "training/augment.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

namespace bittern::training {
namespace {

constexpr int kRate = 16000;
constexpr float kUnit = 1.0F / 32768;

// One clip whose sample i is (i + 1) / 32768: a window shows where it was cut, and 0 is outside the clip.
ClipStore ramp(int length) {
  datasets::LoadedClips clips;
  clips.labels = {0};
  clips.samples.emplace_back();
  for (int i = 0; i < length; ++i) clips.samples[0].push_back(static_cast<float>(i + 1) * kUnit);
  return ClipStore(std::move(clips));
}

AugmentSettings off() {
  AugmentSettings settings;
  settings.random_window = false;
  settings.shift_ms = 0;
  settings.noise_probability = 0;
  settings.time_masks = 0;
  settings.frequency_masks = 0;
  return settings;
}

std::vector<float> window_of(const ClipStore& clips, const AugmentSettings& settings, Random& random,
                             int window, std::span<const std::vector<float>> noise = {}) {
  std::vector<float> output(static_cast<std::size_t>(window), -9.0F);
  augment_samples(clips, 0, noise, settings, kRate, random, output);
  return output;
}

// Where `window` was cut from ramp(length); every sample must be the clip's or, outside it, 0.
std::int64_t start_of(const std::vector<float>& window, int length) {
  std::int64_t start = INT64_MIN;
  for (std::size_t i = 0; i < window.size() && start == INT64_MIN; ++i)
    if (window[i] != 0.0F)
      start = static_cast<std::int64_t>(std::lround(window[i] / kUnit)) - 1 - static_cast<std::int64_t>(i);
  for (std::size_t i = 0; i < window.size(); ++i) {
    const std::int64_t from = start + static_cast<std::int64_t>(i);
    const float expected = from >= 0 && from < length ? static_cast<float>(from + 1) * kUnit : 0.0F;
    EXPECT_EQ(window[i], expected) << i;
    if (window[i] != expected) break;
  }
  return start;
}

TEST(Augment, SwitchedOffItGivesTheCentreAndDrawsNothing) {
  const std::vector<std::vector<float>> noise{{0.5F, 0.25F}};
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    Random shapes{seed};
    const int length = 1 + static_cast<int>(shapes.below(300)),
              wanted = 1 + static_cast<int>(shapes.below(300));
    Random random{seed}, untouched{seed};
    const auto window = window_of(ramp(length), off(), random, wanted, noise);
    EXPECT_EQ(start_of(window, length), ClipStore::centre(length, wanted));
    std::vector<float> features(static_cast<std::size_t>(wanted), 3.0F);
    augment_features(features, wanted, 1, off(), 7.0F, random);
    EXPECT_EQ(features, std::vector<float>(static_cast<std::size_t>(wanted), 3.0F));
    EXPECT_EQ(random.next(), untouched.next());
  }
}

// A slow sine played faster or slower around the window's centre, and louder or softer.
TEST(Augment, SpeedAndGainAreThoseDrawn) {
  constexpr double kStep = 0.05;
  constexpr int kLength = 400, kWindow = 300;
  datasets::LoadedClips sine;
  sine.labels = {0};
  sine.samples.emplace_back();
  for (int i = 0; i < kLength; ++i) sine.samples[0].push_back(static_cast<float>(std::sin(kStep * i)));
  const ClipStore clips(std::move(sine));
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    AugmentSettings settings = off();
    settings.speed = 0.2;
    settings.gain_db = 6;
    Random random{seed}, draws{seed};
    const double speed = 1 + 0.2 * (2 * static_cast<double>(draws.uniform()) - 1);
    const double gain = std::pow(10, 6 * (2 * static_cast<double>(draws.uniform()) - 1) / 20);
    const std::vector<float> window = window_of(clips, settings, random, kWindow);
    for (int i = 0; i < kWindow; ++i) {
      const double at = kLength / 2.0 + (i - kWindow / 2) * speed;
      EXPECT_NEAR(static_cast<double>(window[static_cast<std::size_t>(i)]), gain * std::sin(kStep * at), 1e-3)
          << seed << " " << i;
    }
  }
}

TEST(Augment, ALongClipsWindowLiesAnywhereInIt) {
  AugmentSettings settings = off();
  settings.random_window = true;
  const ClipStore clips = ramp(30);
  std::vector<int> starts(21);
  for (std::uint64_t seed = 0; seed < 4200; ++seed) {
    Random random{seed};
    const std::int64_t start = start_of(window_of(clips, settings, random, 10), 30);
    ASSERT_GE(start, 0);
    ASSERT_LE(start, 20);
    ++starts[static_cast<std::size_t>(start)];
  }
  for (const int count : starts) EXPECT_NEAR(count, 200, 5 * std::sqrt(200)) << "not uniform";
  // A clip that is no longer than the window has one place only.
  Random random{1};
  EXPECT_EQ(start_of(window_of(ramp(10), settings, random, 10), 10), 0);
  EXPECT_EQ(start_of(window_of(ramp(4), settings, random, 10), 4), -3);
}

TEST(Augment, ShiftsUniformlyWithinItsBounds) {
  AugmentSettings settings = off();
  settings.shift_ms = 1;  // 16 samples
  const ClipStore clips = ramp(200);
  std::vector<int> shifts(33);
  for (std::uint64_t seed = 0; seed < 6600; ++seed) {
    Random random{seed};
    const std::int64_t shift = start_of(window_of(clips, settings, random, 100), 200) - 50;
    ASSERT_LE(std::abs(shift), 16);
    ++shifts[static_cast<std::size_t>(shift + 16)];
  }
  for (const int count : shifts) EXPECT_NEAR(count, 200, 5 * std::sqrt(200)) << "not uniform";
}

TEST(Augment, NoiseComesAsOftenAndAsLoudAsAsked) {
  AugmentSettings settings = off();
  settings.noise_probability = 0.3F;
  settings.noise_level = 0.25F;
  const std::vector<std::vector<float>> noise{std::vector<float>(50, 1.0F)};
  const ClipStore clips = ramp(8);
  constexpr int kDraws = 20000;
  int noisy = 0;
  double sum = 0, loudest = 0;
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    Random random{seed};
    const auto window = window_of(clips, settings, random, 8, noise);
    const float level = window[0] - kUnit;
    for (std::size_t i = 0; i < window.size(); ++i)
      ASSERT_NEAR(window[i], static_cast<float>(i + 1) * kUnit + level, 1e-6);
    if (level == 0.0F) continue;
    ++noisy;
    sum += static_cast<double>(level);
    loudest = std::max(loudest, static_cast<double>(level));
    ASSERT_GT(level, 0.0F);
    ASSERT_LT(level, 0.25F);
  }
  EXPECT_NEAR(noisy, 0.3 * kDraws, 5 * std::sqrt(0.3 * 0.7 * kDraws));
  EXPECT_NEAR(sum / noisy, 0.125, 0.005);
  EXPECT_GT(loudest, 0.249);
}

TEST(Augment, NoiseIsARandomStretchOfARandomRecording) {
  AugmentSettings settings = off();
  settings.noise_probability = 1;
  settings.noise_level = 1;
  std::vector<std::vector<float>> noise(2);
  for (int i = 0; i < 20; ++i) noise[0].push_back(static_cast<float>(i + 1));  // longer than the window
  for (int i = 0; i < 3; ++i) noise[1].push_back(-static_cast<float>(i + 1));  // shorter: repeated
  datasets::LoadedClips silence;
  silence.labels = {0};
  silence.samples = {std::vector<float>(8, 0.0F)};
  const ClipStore clips(std::move(silence));
  std::set<int> starts;
  int repeated = 0;
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random{seed};
    const auto window = window_of(clips, settings, random, 8, noise);
    if (window[0] == 0.0F && window[1] == 0.0F) continue;  // a level of exactly 0
    if (window[0] < 0) {
      ++repeated;
      for (std::size_t i = 0; i < 8; ++i)
        ASSERT_NEAR(window[i] / window[0], static_cast<float>(i % 3 + 1), 1e-5);
      continue;
    }
    const float level = window[1] - window[0];
    const auto start = static_cast<int>(std::lround(window[0] / level)) - 1;
    for (std::size_t i = 0; i < 8; ++i)
      ASSERT_NEAR(window[i] / level, static_cast<float>(start + 1 + static_cast<int>(i)), 1e-3);
    starts.insert(start);
  }
  EXPECT_NEAR(repeated, 1000, 5 * std::sqrt(500));
  EXPECT_EQ(*starts.begin(), 0);
  EXPECT_EQ(*starts.rbegin(), 12);
  EXPECT_EQ(starts.size(), 13U);
}

TEST(Augment, WithoutRecordingsThereIsNoNoise) {
  AugmentSettings settings = off();
  settings.noise_probability = 1;
  Random random{3}, untouched{3};
  EXPECT_EQ(start_of(window_of(ramp(20), settings, random, 10), 20), 5);
  EXPECT_EQ(random.next(), untouched.next());
}

// Features of value 1 between guards of value 2; masks write 0.
struct Masked {
  Masked(int frames, int bins, const AugmentSettings& settings, Random& random)
      : frames_(frames), bins_(bins), memory_(static_cast<std::size_t>(frames) * bins + 2 * kGuard, 1.0F) {
    std::fill_n(memory_.begin(), kGuard, 2.0F);
    std::fill_n(memory_.end() - kGuard, kGuard, 2.0F);
    augment_features(std::span(memory_).subspan(kGuard, static_cast<std::size_t>(frames) * bins), frames,
                     bins, settings, 0.0F, random);
    for (std::size_t i = 0; i < kGuard; ++i) {
      EXPECT_EQ(memory_[i], 2.0F);
      EXPECT_EQ(memory_[memory_.size() - 1 - i], 2.0F);
    }
  }
  bool masked(int frame, int bin) const {
    return memory_[kGuard + static_cast<std::size_t>(frame) * bins_ + bin] == 0.0F;
  }
  bool frame_masked(int frame) const {
    for (int bin = 0; bin < bins_; ++bin)
      if (!masked(frame, bin)) return false;
    return true;
  }
  bool bin_masked(int bin) const {
    for (int frame = 0; frame < frames_; ++frame)
      if (!masked(frame, bin)) return false;
    return true;
  }
  static constexpr int kGuard = 40;

 private:
  int frames_;
  int bins_;
  std::vector<float> memory_;
};

// Number of runs and of members of a set given by a predicate on [0, count).
template <class Member>
std::pair<int, int> runs_of(int count, const Member& member) {
  int runs = 0, members = 0;
  for (int i = 0; i < count; ++i) {
    members += member(i) ? 1 : 0;
    runs += member(i) && (i == 0 || !member(i - 1)) ? 1 : 0;
  }
  return {runs, members};
}

TEST(Augment, MasksAreWholeFramesAndBinsWithinTheirBounds) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random{seed};
    const int frames = 1 + static_cast<int>(random.below(20)), bins = 1 + static_cast<int>(random.below(12));
    AugmentSettings settings = off();
    settings.time_masks = static_cast<int>(random.below(4));
    settings.time_mask_frames = static_cast<int>(random.below(25));  // longer than the clip, too
    settings.frequency_masks = static_cast<int>(random.below(4));
    settings.frequency_mask_bins = static_cast<int>(random.below(15));
    const Masked masked(frames, bins, settings, random);
    for (int frame = 0; frame < frames; ++frame)
      for (int bin = 0; bin < bins; ++bin)
        ASSERT_EQ(masked.masked(frame, bin), masked.frame_masked(frame) || masked.bin_masked(bin));
    const auto [time_runs, time] = runs_of(frames, [&](int i) { return masked.frame_masked(i); });
    const auto [bin_runs, frequency] = runs_of(bins, [&](int i) { return masked.bin_masked(i); });
    // Where all of one axis is masked every line of the other looks masked.
    if (frequency < bins) {
      EXPECT_LE(time_runs, settings.time_masks);
      EXPECT_LE(time, settings.time_masks * settings.time_mask_frames);
    }
    if (time < frames) {
      EXPECT_LE(bin_runs, settings.frequency_masks);
      EXPECT_LE(frequency, settings.frequency_masks * settings.frequency_mask_bins);
    }
  }
}

TEST(Augment, AMasksWidthAndPlaceAreUniform) {
  constexpr int kFrames = 10, kLongest = 4, kDraws = 10000;
  AugmentSettings settings = off();
  settings.time_masks = 1;
  settings.time_mask_frames = kLongest;
  std::vector<int> widths(kLongest + 1);
  std::vector<int> places(kFrames - kLongest + 1);  // of the longest
  for (std::uint64_t seed = 0; seed < kDraws; ++seed) {
    Random random{seed};
    const Masked masked(kFrames, 3, settings, random);
    int first = 0;
    while (first < kFrames && !masked.frame_masked(first)) ++first;
    const int width = runs_of(kFrames, [&](int i) { return masked.frame_masked(i); }).second;
    ASSERT_LE(width, kLongest);
    ++widths[static_cast<std::size_t>(width)];
    if (width == kLongest) ++places[static_cast<std::size_t>(first)];
  }
  for (const int count : widths) EXPECT_NEAR(count, kDraws * 0.2, 5 * std::sqrt(kDraws * 0.2 * 0.8));
  for (const int count : places) EXPECT_NEAR(count, kDraws / 35.0, 5 * std::sqrt(kDraws / 35.0));
}

}  // namespace
}  // namespace bittern::training
