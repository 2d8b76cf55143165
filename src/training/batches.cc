#include "training/batches.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include "core/random.h"
#include "core/shuffle.h"
#include "features/log_mel.h"
#include "training/augment.h"
#include "training/mixup.h"
#include "training/streams.h"

namespace bittern::training {
namespace {

constexpr std::size_t kAhead = 3;  // batches made ahead
constexpr int kMeanClips = 1000;

std::size_t feature_count(const features::LogMelSpec& front_end) {
  return static_cast<std::size_t>(front_end.clip_frames()) * static_cast<std::size_t>(front_end.mel_bins);
}

class ThreadedSource final : public BatchSource {
 public:
  ThreadedSource(const ClipStore& clips, std::span<const std::vector<float>> noise, BatchSettings settings,
                 features::LogMel log_mel, Teachers teachers)
      : clips_(clips),
        noise_(noise),
        settings_(std::move(settings)),
        slice_(settings_.plan.slice(settings_.rank, settings_.ranks)),
        log_mel_(std::move(log_mel)),
        teachers_(std::move(teachers)) {
    worker_ = std::jthread([this](const std::stop_token& stop) {
      try {
        Status done = work(stop);
        const std::lock_guard lock(mutex_);
        done_ = std::move(done);
        filled_.notify_one();
      } catch (...) {  // memory ran out: the training's own thread is to say so
        const std::lock_guard lock(mutex_);
        failure_ = std::current_exception();
        filled_.notify_one();
      }
    });
  }

  Expected<Batch> next() override {
    std::unique_lock lock(mutex_);
    filled_.wait(lock, [this] { return !ready_.empty() || failure_ || !done_.ok(); });
    if (ready_.empty() && failure_) std::rethrow_exception(failure_);
    if (ready_.empty()) return done_.error();
    Batch batch = std::move(ready_.front());
    ready_.pop_front();
    lock.unlock();
    taken_.notify_one();
    return batch;
  }

 private:
  Status work(const std::stop_token& stop) {
    int first = settings_.first_batch;
    for (int epoch = settings_.first_epoch; epoch < settings_.epochs; ++epoch) {
      const std::vector<int> order = shuffled(settings_.plan.clips, settings_.seed, epoch);
      for (int index = first; index < settings_.plan.batches(); ++index) {
        const auto size = static_cast<std::size_t>(settings_.plan.size());
        const auto whole = std::span(order).subspan(static_cast<std::size_t>(index) * size, size);
        Batch batch = settings_.augment.mixup > 0 ? make_mixed(epoch, index, whole)
                                                  : make(epoch, whole.subspan(first_clip(), clip_count()));
        BITTERN_ASSIGN_OR_RETURN(batch.teacher, teachers_.distribution(batch.features));
        std::unique_lock lock(mutex_);
        if (!taken_.wait(lock, stop, [this] { return ready_.size() < kAhead; })) return {};
        ready_.push_back(std::move(batch));
        lock.unlock();
        filled_.notify_one();
      }
      first = 0;
    }
    return {};
  }

  Batch make(int epoch, std::span<const int> order) {
    const features::LogMelSpec& front_end = settings_.front_end;
    const std::size_t per_clip = feature_count(front_end);
    Batch batch;
    batch.features.resize(order.size() * per_clip);
    window_.resize(static_cast<std::size_t>(front_end.clip_samples));
    for (std::size_t i = 0; i < order.size(); ++i) {
      const int clip = order[i];
      Random random({settings_.seed, kAugmentStream, static_cast<std::uint64_t>(epoch),
                     static_cast<std::uint64_t>(clip)});
      augment_samples(clips_, clip, noise_, settings_.augment, front_end.sample_rate, random, window_);
      const std::span<float> features = std::span(batch.features).subspan(i * per_clip, per_clip);
      log_mel_.compute(window_, features);
      augment_features(features, front_end.clip_frames(), front_end.mel_bins, settings_.augment,
                       settings_.mask_fill, random);
      batch.labels.push_back(clips_.label(clip));
    }
    return batch;
  }

  // Pairs are a function of the whole batch's name, so a slice may need clips beside its own, to be mixed in.
  Batch make_mixed(int epoch, int index, std::span<const int> whole) {
    Random random(
        {settings_.seed, kMixupStream, static_cast<std::uint64_t>(epoch), static_cast<std::uint64_t>(index)});
    const MixupPlan plan = plan_mixup(static_cast<int>(whole.size()), settings_.augment.mixup, random);
    std::vector<int> rows(whole.size(), -1);  // by place in the whole batch
    std::vector<int> order;
    const auto take = [&](std::size_t place) {
      if (rows[place] >= 0) return;
      rows[place] = static_cast<int>(order.size());
      order.push_back(whole[place]);
    };
    const std::size_t end = first_clip() + clip_count();
    for (std::size_t place = first_clip(); place < end; ++place) take(place);
    for (std::size_t place = first_clip(); place < end; ++place)
      take(static_cast<std::size_t>(plan.partners[place]));

    Batch batch = make(epoch, order);
    MixupPlan own;
    for (std::size_t place = first_clip(); place < end; ++place) {
      own.partners.push_back(rows[static_cast<std::size_t>(plan.partners[place])]);
      own.shares.push_back(plan.shares[place]);
      batch.other_labels.push_back(batch.labels[static_cast<std::size_t>(own.partners.back())]);
    }
    batch.shares = own.shares;
    while (own.partners.size() < order.size()) {  // these stay as they are, and go
      own.partners.push_back(static_cast<int>(own.partners.size()));
      own.shares.push_back(1);
    }
    mix(batch.features, own);
    batch.labels.resize(clip_count());
    batch.features.resize(clip_count() * feature_count(settings_.front_end));
    return batch;
  }

  std::size_t first_clip() const { return static_cast<std::size_t>(slice_.first); }
  std::size_t clip_count() const { return static_cast<std::size_t>(slice_.count); }

  const ClipStore& clips_;
  const std::span<const std::vector<float>> noise_;
  const BatchSettings settings_;
  const BatchPlan::Slice slice_;
  features::LogMel log_mel_;
  Teachers teachers_;
  std::vector<float> window_;

  std::mutex mutex_;
  std::condition_variable_any taken_;
  std::condition_variable filled_;
  std::deque<Batch> ready_;
  std::exception_ptr failure_;
  Status done_;
  std::jthread worker_;  // last: stopped and joined before the rest goes
};

}  // namespace

std::vector<int> shuffled(int clips, std::uint64_t seed, int epoch) {
  Random random({seed, kShuffleStream, static_cast<std::uint64_t>(epoch)});
  return shuffled(clips, random);
}

Expected<std::unique_ptr<BatchSource>> BatchSource::create(const ClipStore& clips,
                                                           std::span<const std::vector<float>> noise,
                                                           const BatchSettings& settings, Teachers teachers) {
  BITTERN_ASSIGN_OR_RETURN(features::LogMel log_mel, features::LogMel::create(settings.front_end));
  return std::unique_ptr<BatchSource>(
      std::make_unique<ThreadedSource>(clips, noise, settings, std::move(log_mel), std::move(teachers)));
}

Expected<std::vector<float>> features_of(const ClipStore& clips, const features::LogMelSpec& front_end) {
  BITTERN_ASSIGN_OR_RETURN(features::LogMel log_mel, features::LogMel::create(front_end));
  const std::size_t per_clip = feature_count(front_end);
  std::vector<float> result(static_cast<std::size_t>(clips.size()) * per_clip);
  std::vector<float> window(static_cast<std::size_t>(front_end.clip_samples));
  for (int clip = 0; clip < clips.size(); ++clip) {
    clips.copy(clip, ClipStore::centre(clips.length(clip), front_end.clip_samples), window);
    log_mel.compute(window, std::span(result).subspan(static_cast<std::size_t>(clip) * per_clip, per_clip));
  }
  return result;
}

Expected<float> mean_feature(const ClipStore& clips, const features::LogMelSpec& front_end) {
  BITTERN_ASSIGN_OR_RETURN(features::LogMel log_mel, features::LogMel::create(front_end));
  std::vector<float> window(static_cast<std::size_t>(front_end.clip_samples));
  std::vector<float> features(feature_count(front_end));
  const int used = std::min(clips.size(), kMeanClips);
  double sum = 0;
  for (int i = 0; i < used; ++i) {
    const auto clip = static_cast<int>(std::int64_t{i} * clips.size() / used);
    clips.copy(clip, ClipStore::centre(clips.length(clip), front_end.clip_samples), window);
    log_mel.compute(window, features);
    sum += std::accumulate(features.begin(), features.end(), 0.0);
  }
  return static_cast<float>(sum / (static_cast<double>(used) * static_cast<double>(features.size())));
}

}  // namespace bittern::training
