#include <ATen/record_function.h>

#include <limits>
#include <stdexcept>
#include <utility>
#include <vector>

#include "core/random.h"
#include "training/batches.h"
#include "training/clip_store.h"
#include "training/modules.h"
#include "training/optimizer.h"
#include "training/step_split.h"
#include "training/steps.h"
#include "training/threads.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

constexpr int kClips = 2048;
constexpr std::size_t kSamples = 16000;
constexpr int kNoises = 4;

std::vector<float> loud(Random& random, std::size_t samples) {
  std::vector<float> result(samples);
  for (float& sample : result) sample = static_cast<float>(random.below(65536)) / 32768.0F - 1.0F;
  return result;
}

ClipStore random_clips(int classes) {
  Random random({1});
  datasets::LoadedClips clips;
  for (int i = 0; i < kClips; ++i) {
    clips.samples.push_back(loud(random, kSamples));
    clips.labels.push_back(i % classes);
  }
  return ClipStore(std::move(clips));
}

template <class T>
T value_of(Expected<T> expected) {
  if (!expected.ok()) throw std::runtime_error(expected.error().message);
  return std::move(*expected);
}

class BitternSteps final : public Steps {
 public:
  BitternSteps(const graph::Network& network, const Recipe& recipe)
      : clips_(random_clips(network.classes())),
        network_(value_of(TrainableNetwork::create(network, recipe.binary_optimizer, recipe.seed))),
        optimizer_(network_.parameters(), recipe, std::numeric_limits<int>::max()) {
    keep_freed_memory();
    network_.set_precision(recipe.precision);
    Random random({2});
    for (int i = 0; i < kNoises; ++i) noise_.push_back(loud(random, 4 * kSamples));
    settings_.augment = recipe.augment;
    settings_.plan = {clips_.size(), recipe.batch};
    settings_.epochs = std::numeric_limits<int>::max();
    source_ = value_of(BatchSource::create(clips_, noise_, settings_));
  }

  double step() override {
    Batch batch;
    {
      RECORD_USER_SCOPE(kWaitScope);
      batch = value_of(source_->next());
    }
    const at::Tensor features =
        at::from_blob(batch.features.data(),
                      {batch.clips(), settings_.front_end.clip_frames(), settings_.front_end.mel_bins});
    const at::Tensor labels =
        at::from_blob(batch.labels.data(), {batch.clips()}, at::TensorOptions().dtype(at::kLong));
    at::Tensor loss;
    for (const at::Tensor& logits : network_.train(features, step_)) {
      const at::Tensor one = at::cross_entropy_loss(logits, labels);
      loss = loss.defined() ? loss + one : one;
    }
    const auto value = loss.item<double>();
    {
      RECORD_USER_SCOPE(kBackwardScope);
      loss.backward();
    }
    RECORD_USER_SCOPE(kOptimizerScope);
    optimizer_.step(step_++);
    return value;
  }

 private:
  ClipStore clips_;
  std::vector<std::vector<float>> noise_;
  TrainableNetwork network_;
  Optimizer optimizer_;
  BatchSettings settings_;
  std::unique_ptr<BatchSource> source_;
  std::int64_t step_ = 0;
};

}  // namespace

std::unique_ptr<Steps> bittern_steps(const graph::Network& network, const Recipe& recipe) {
  return std::make_unique<BitternSteps>(network, recipe);
}

}  // namespace bittern::training
