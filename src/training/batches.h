// Batches of features for training, made ahead of need on a thread of their own.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "core/status.h"
#include "features/log_mel_spec.h"
#include "training/clip_store.h"
#include "training/recipe.h"
#include "training/teachers.h"

namespace bittern::training {

struct Batch {
  std::vector<float> features;       // [clips, frames, bins]
  std::vector<std::int64_t> labels;  // [clips]
  // With mixup, else empty: the labels of what was mixed in, and the share of each clip's own.
  std::vector<std::int64_t> other_labels;
  std::vector<float> shares;
  std::vector<float> teacher;  // [clips, classes]: what teachers say of these features; empty without any
  int clips() const { return static_cast<int>(labels.size()); }
};

// How a data set falls into batches. The clips left over after the last full batch wait for another epoch's
// shuffle; a data set smaller than a batch is one batch.
struct BatchPlan {
  int clips = 0;
  int batch = 0;
  int batches() const { return clips < batch ? (clips > 0 ? 1 : 0) : clips / batch; }
  int size() const { return clips < batch ? clips : batch; }

  // The part of every batch that one of several processes trains on: consecutive, together the whole batch,
  // and of lengths that differ by 1 at most.
  struct Slice {
    int first = 0;
    int count = 0;
  };
  Slice slice(int rank, int ranks) const {
    const auto begin = [&](std::int64_t of) { return static_cast<int>(of * size() / ranks); };
    return {begin(rank), begin(rank + 1) - begin(rank)};
  }
};

// The clips of an epoch in their shuffled order: a function of (seed, epoch) alone.
std::vector<int> shuffled(int clips, std::uint64_t seed, int epoch);

struct BatchSettings {
  features::LogMelSpec front_end;
  AugmentSettings augment;
  std::uint64_t seed = 0;
  BatchPlan plan;
  float mask_fill = 0;  // what SpecAugment writes
  int first_epoch = 0;  // where to start: a resumed run goes on within an epoch
  int first_batch = 0;
  int epochs = 0;  // batches end behind the last epoch
  int rank = 0;    // gives the slice of this rank of so many
  int ranks = 1;
};

// Makes batches in order, or a slice of each: what a clip is like, whom it is mixed with included, does not
// depend on the number of ranks. `clips` and `noise` must outlive it. Teachers hear what the batch holds, on
// the same thread.
class BatchSource {
 public:
  static Expected<std::unique_ptr<BatchSource>> create(const ClipStore& clips,
                                                       std::span<const std::vector<float>> noise,
                                                       const BatchSettings& settings, Teachers teachers = {});
  virtual ~BatchSource() = default;
  // Waits for the next batch. Must not be called more often than there are batches, nor after an error, which
  // is a teacher's. Throws what making it threw (std::bad_alloc).
  virtual Expected<Batch> next() = 0;
};

// Features of whole clips, unvaried: the window in the centre of each. [clips, frames, bins].
Expected<std::vector<float>> features_of(const ClipStore& clips, const features::LogMelSpec& front_end);

// Mean over all features of up to 1,000 clips spread evenly over `clips`.
Expected<float> mean_feature(const ClipStore& clips, const features::LogMelSpec& front_end);

}  // namespace bittern::training
