#include "training/augment.h"

#include <algorithm>

namespace bittern::training {
namespace {

// Uniform integer in [low, high].
std::int64_t draw(Random& random, std::int64_t low, std::int64_t high) {
  return low + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(high - low + 1)));
}

void add_noise(const std::vector<float>& noise, float level, Random& random, std::span<float> window) {
  const auto length = static_cast<std::int64_t>(noise.size());
  const auto wanted = static_cast<std::int64_t>(window.size());
  const std::int64_t start = draw(random, 0, std::max<std::int64_t>(length - wanted, 0));
  for (std::int64_t i = 0; i < wanted; ++i)
    window[static_cast<std::size_t>(i)] += noise[static_cast<std::size_t>((start + i) % length)] * level;
}

}  // namespace

void augment_samples(const ClipStore& clips, int clip, std::span<const std::vector<float>> noise,
                     const AugmentSettings& settings, int sample_rate, Random& random,
                     std::span<float> window) {
  const auto wanted = static_cast<std::int64_t>(window.size());
  const std::int64_t length = clips.length(clip);
  std::int64_t start = ClipStore::centre(length, wanted);
  if (settings.random_window && length > wanted) start = draw(random, 0, length - wanted);
  if (settings.shift_ms > 0) {
    const std::int64_t most = std::int64_t{settings.shift_ms} * sample_rate / 1000;
    start -= draw(random, -most, most);
  }
  clips.copy(clip, start, window);

  if (noise.empty() || settings.noise_probability <= 0.0F) return;
  if (random.uniform() >= settings.noise_probability) return;
  const std::vector<float>& recording = noise[random.below(noise.size())];
  const float level = random.uniform(0.0F, settings.noise_level);
  add_noise(recording, level, random, window);
}

void augment_features(std::span<float> features, int frames, int bins, const AugmentSettings& settings,
                      float fill, Random& random) {
  for (int mask = 0; mask < settings.time_masks; ++mask) {
    const std::int64_t width = draw(random, 0, std::min(settings.time_mask_frames, frames));
    const std::int64_t first = draw(random, 0, frames - width);
    const auto begin = features.begin() + first * bins;
    std::fill(begin, begin + width * bins, fill);
  }
  for (int mask = 0; mask < settings.frequency_masks; ++mask) {
    const std::int64_t width = draw(random, 0, std::min(settings.frequency_mask_bins, bins));
    const std::int64_t first = draw(random, 0, bins - width);
    for (int frame = 0; frame < frames; ++frame) {
      const auto begin = features.begin() + std::int64_t{frame} * bins + first;
      std::fill(begin, begin + width, fill);
    }
  }
}

}  // namespace bittern::training
