#include "training/clip_store.h"

#include <gtest/gtest.h>

#include <vector>

#include "core/random.h"

namespace bittern::training {
namespace {

ClipStore store_of(std::vector<std::vector<float>> samples) {
  datasets::LoadedClips clips;
  for (std::size_t i = 0; i < samples.size(); ++i) clips.labels.push_back(static_cast<int>(i) * 3);
  clips.samples = std::move(samples);
  return ClipStore(std::move(clips));
}

std::vector<float> all_of(const ClipStore& store, int clip) {
  std::vector<float> samples(static_cast<std::size_t>(store.length(clip)));
  store.copy(clip, 0, samples);
  return samples;
}

TEST(ClipStore, SixteenBitSamplesTakeTwoBytesAndComeBackExactly) {
  std::vector<float> every;
  for (int i = -32768; i < 32768; ++i) every.push_back(static_cast<float>(i) / 32768);
  const ClipStore store = store_of({every});
  EXPECT_EQ(store.bytes(), 2 * every.size());
  EXPECT_EQ(all_of(store, 0), every);
}

TEST(ClipStore, AnySampleThatIsNoSixteenBitNumberKeepsItsClipInFloats) {
  for (const float odd : {0.1F, 1.0F, -1.0F - 1.0F / 32768, 1000.0F, 0.5F / 32768, 1e-30F}) {
    for (std::size_t place = 0; place < 4; ++place) {
      std::vector<float> samples{0.5F, -1.0F, 0.0F, 0.25F};
      samples[place] = odd;
      const ClipStore store = store_of({samples, {0.5F}});
      EXPECT_EQ(store.bytes(), 4 * samples.size() + 2);
      EXPECT_EQ(all_of(store, 0), samples) << odd;
    }
  }
}

TEST(ClipStore, KeepsClipsLabelsAndLengthsApart) {
  const ClipStore store = store_of({{0.5F, 0.25F}, {}, {0.1F}});
  EXPECT_EQ(store.size(), 3);
  EXPECT_EQ(store.length(0), 2);
  EXPECT_EQ(store.length(1), 0);
  EXPECT_EQ(store.length(2), 1);
  EXPECT_EQ(store.label(2), 6);
  EXPECT_EQ(ClipStore().size(), 0);
}

TEST(ClipStore, ACopyIsTheClipWithSilenceAroundIt) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    Random random{seed};
    std::vector<float> samples(random.below(30));
    const bool integers = random.below(2) == 0;
    for (float& sample : samples)
      sample = integers ? static_cast<float>(random.below(65536)) / 32768 - 1 : random.uniform(-1, 1);
    const ClipStore store = store_of({samples});
    const auto length = static_cast<std::int64_t>(samples.size());
    const std::int64_t start = static_cast<std::int64_t>(random.below(100)) - 50;
    std::vector<float> window(random.below(60), -9.0F);
    store.copy(0, start, window);
    for (std::size_t i = 0; i < window.size(); ++i) {
      const std::int64_t from = start + static_cast<std::int64_t>(i);
      const float expected = from >= 0 && from < length ? samples[static_cast<std::size_t>(from)] : 0.0F;
      ASSERT_EQ(window[i], expected) << "seed " << seed << " sample " << i;
    }
  }
}

// As much before as after, an odd sample more behind.
TEST(ClipStore, CentresAClipInAWindowAndAWindowInAClip) {
  for (std::int64_t length = 0; length < 20; ++length) {
    for (std::int64_t window = 1; window < 20; ++window) {
      const std::int64_t start = ClipStore::centre(length, window);
      const std::int64_t before = length >= window ? start : -start;
      const std::int64_t after = (length >= window ? length - window : window - length) - before;
      EXPECT_GE(before, 0);
      EXPECT_TRUE(after == before || after == before + 1) << length << " in " << window;
    }
  }
}

}  // namespace
}  // namespace bittern::training
