// Batches against features computed one clip at a time.
#include "training/batches.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <vector>

#include "features/log_mel.h"
#include "training/augment.h"
#include "training/mixup.h"
#include "training/streams.h"

namespace bittern::training {
namespace {

constexpr int kClips = 11;

ClipStore clips() {
  datasets::LoadedClips loaded;
  for (int clip = 0; clip < kClips; ++clip) {
    Random random{static_cast<std::uint64_t>(clip)};
    std::vector<float> samples(1000 + random.below(4000));
    for (float& sample : samples) sample = random.uniform(-0.5F, 0.5F);
    loaded.samples.push_back(std::move(samples));
    loaded.labels.push_back(clip);
  }
  return ClipStore(std::move(loaded));
}

BatchSettings settings() {
  BatchSettings settings;
  settings.front_end.clip_samples = 2000;
  settings.front_end.mel_bins = 16;
  settings.augment.shift_ms = 20;
  settings.seed = 7;
  settings.plan = {kClips, 4};
  settings.mask_fill = -5;
  settings.epochs = 3;
  return settings;
}

const std::vector<std::vector<float>>& noise() {
  static const std::vector<std::vector<float>> recordings{{0.5F, -0.5F, 0.25F},
                                                          std::vector<float>(3000, 0.125F)};
  return recordings;
}

// Clip `clip` as epoch `epoch` hears it.
std::vector<float> varied(const ClipStore& store, int clip, int epoch, const BatchSettings& of) {
  Random random{of.seed, kAugmentStream, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(clip)};
  std::vector<float> window(static_cast<std::size_t>(of.front_end.clip_samples));
  augment_samples(store, clip, noise(), of.augment, of.front_end.sample_rate, random, window);
  features::LogMel log_mel = features::LogMel::create(of.front_end).value();
  std::vector<float> features(static_cast<std::size_t>(of.front_end.clip_frames() * of.front_end.mel_bins));
  log_mel.compute(window, features);
  augment_features(features, of.front_end.clip_frames(), of.front_end.mel_bins, of.augment, of.mask_fill,
                   random);
  return features;
}

TEST(Batches, APlanKeepsFullBatchesAndMakesOneOfASmallSet) {
  const auto expect = [](BatchPlan plan, int batches, int size) {
    EXPECT_EQ(plan.batches(), batches);
    EXPECT_EQ(plan.size(), size);
  };
  expect({11, 4}, 2, 4);
  expect({8, 4}, 2, 4);
  expect({4, 4}, 1, 4);
  expect({3, 4}, 1, 3);
  expect({0, 4}, 0, 0);
}

TEST(Batches, AShuffleIsAPermutationOfItsSeedAndEpoch) {
  for (const int count : {0, 1, 2, 17, 1000}) {
    std::vector<int> sorted = shuffled(count, 3, 5);
    EXPECT_EQ(sorted, shuffled(count, 3, 5));
    std::sort(sorted.begin(), sorted.end());
    std::vector<int> expected(static_cast<std::size_t>(count));
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(sorted, expected);
  }
  EXPECT_NE(shuffled(17, 3, 5), shuffled(17, 3, 6));
  EXPECT_NE(shuffled(17, 3, 5), shuffled(17, 4, 5));
  // Every one of the six orders of three, equally often.
  std::map<std::vector<int>, int> orders;
  for (int epoch = 0; epoch < 6000; ++epoch) ++orders[shuffled(3, 1, epoch)];
  EXPECT_EQ(orders.size(), 6U);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 1000, 150);
}

TEST(Batches, HoldTheVariedClipsOfEachEpochInItsOrder) {
  const ClipStore store = clips();
  const BatchSettings of = settings();
  const auto source = BatchSource::create(store, noise(), of).value();
  for (int epoch = 0; epoch < of.epochs; ++epoch) {
    const std::vector<int> order = shuffled(kClips, of.seed, epoch);
    for (int index = 0; index < 2; ++index) {
      const Batch batch = source->next().value();
      ASSERT_EQ(batch.clips(), 4);
      std::vector<float> expected;
      for (int i = 0; i < 4; ++i) {
        const int clip = order[static_cast<std::size_t>(index) * 4 + i];
        EXPECT_EQ(batch.labels[static_cast<std::size_t>(i)], clip);
        const std::vector<float> features = varied(store, clip, epoch, of);
        expected.insert(expected.end(), features.begin(), features.end());
      }
      EXPECT_EQ(batch.features, expected) << "epoch " << epoch << " batch " << index;
    }
  }
}

TEST(Batches, ASourceThatStartsLaterGivesTheSameBatches) {
  const ClipStore store = clips();
  const auto whole = BatchSource::create(store, noise(), settings()).value();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(whole->next().ok());
  BatchSettings later = settings();
  later.first_epoch = 1;
  later.first_batch = 1;
  const auto resumed = BatchSource::create(store, noise(), later).value();
  for (int i = 0; i < 3; ++i) {
    const Batch expected = whole->next().value(), found = resumed->next().value();
    EXPECT_EQ(found.labels, expected.labels);
    EXPECT_EQ(found.features, expected.features);
  }
}

// The same pairs and shares whichever batch a source starts with; others in other batches.
TEST(Batches, MixupMixesTheClipsThatABatchWouldHaveHeld) {
  const ClipStore store = clips();
  BatchSettings mixed = settings();
  mixed.augment.mixup = 0.5;
  const auto plain = BatchSource::create(store, noise(), settings()).value();
  const auto source = BatchSource::create(store, noise(), mixed).value();
  BatchSettings later = mixed;
  later.first_epoch = 1;
  const auto resumed = BatchSource::create(store, noise(), later).value();
  const int batches = mixed.plan.batches();
  std::vector<std::vector<float>> shares;
  for (int index = 0; index < batches * mixed.epochs; ++index) {
    const Batch pure = plain->next().value();
    const Batch batch = source->next().value();
    EXPECT_TRUE(pure.shares.empty());
    EXPECT_EQ(batch.labels, pure.labels);
    Random random({mixed.seed, kMixupStream, static_cast<std::uint64_t>(index / batches),
                   static_cast<std::uint64_t>(index % batches)});
    const MixupPlan plan = plan_mixup(batch.clips(), 0.5, random);
    std::vector<float> expected = pure.features;
    mix(expected, plan);
    EXPECT_EQ(batch.features, expected);
    EXPECT_EQ(batch.shares, plan.shares);
    for (std::size_t i = 0; i < batch.labels.size(); ++i)
      EXPECT_EQ(batch.other_labels[i], pure.labels[static_cast<std::size_t>(plan.partners[i])]);
    shares.push_back(batch.shares);
    if (index >= batches) {
      const Batch again = resumed->next().value();
      EXPECT_EQ(again.features, batch.features);
      EXPECT_EQ(again.other_labels, batch.other_labels);
    }
  }
  EXPECT_NE(shares[0], shares[1]);
  EXPECT_NE(shares[0], shares[static_cast<std::size_t>(batches)]);
}

// Whatever the number of ranks: their slices are the batches of one.
TEST(Batches, SlicesOfAllRanksAreTheWholeBatches) {
  const ClipStore store = clips();
  BatchSettings whole = settings();
  whole.plan.batch = 7;
  for (const double mixup : {0.0, 0.5}) {
    whole.augment.mixup = mixup;
    for (const int ranks : {1, 2, 3, 7}) {
      const auto all = BatchSource::create(store, noise(), whole).value();
      std::vector<std::unique_ptr<BatchSource>> slices;
      for (int rank = 0; rank < ranks; ++rank) {
        BatchSettings slice = whole;
        slice.rank = rank;
        slice.ranks = ranks;
        slices.push_back(BatchSource::create(store, noise(), slice).value());
      }
      for (int index = 0; index < whole.plan.batches() * whole.epochs; ++index) {
        const Batch expected = all->next().value();
        ASSERT_EQ(expected.clips(), 7);
        Batch joined;
        const auto append = [](auto& to, const auto& from) { to.insert(to.end(), from.begin(), from.end()); };
        for (const auto& source : slices) {
          const Batch slice = source->next().value();
          EXPECT_LE(std::abs(slice.clips() - 7 / ranks), 1);
          append(joined.features, slice.features);
          append(joined.labels, slice.labels);
          append(joined.other_labels, slice.other_labels);
          append(joined.shares, slice.shares);
        }
        EXPECT_EQ(joined.labels, expected.labels);
        EXPECT_EQ(joined.features, expected.features) << ranks << " ranks, mixup " << mixup;
        EXPECT_EQ(joined.other_labels, expected.other_labels);
        EXPECT_EQ(joined.shares, expected.shares);
      }
    }
  }
}

TEST(Batches, ASourceMayGoWithBatchesLeftOver) {
  const ClipStore store = clips();
  BatchSettings many = settings();
  many.epochs = 100000;
  const auto source = BatchSource::create(store, noise(), many).value();
  ASSERT_TRUE(source->next().ok());
}

TEST(Batches, WholeClipsAreTheirCentresUnvaried) {
  const ClipStore store = clips();
  const BatchSettings of = settings();
  const std::vector<float> all = features_of(store, of.front_end).value();
  features::LogMel log_mel = features::LogMel::create(of.front_end).value();
  const std::size_t per_clip = all.size() / kClips;
  double sum = 0;
  for (int clip = 0; clip < kClips; ++clip) {
    std::vector<float> window(2000), features(per_clip);
    store.copy(clip, ClipStore::centre(store.length(clip), 2000), window);
    log_mel.compute(window, features);
    EXPECT_TRUE(std::equal(features.begin(), features.end(),
                           all.begin() + static_cast<std::ptrdiff_t>(per_clip) * clip));
    sum += std::accumulate(features.begin(), features.end(), 0.0);
  }
  EXPECT_NEAR(mean_feature(store, of.front_end).value(), sum / static_cast<double>(all.size()), 1e-5);
}

}  // namespace
}  // namespace bittern::training
