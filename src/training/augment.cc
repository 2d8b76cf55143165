#include "training/augment.h"

#include <algorithm>
#include <cmath>

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

// Catmull and Rom's cubic through four neighbours, at `part` of the way from p[1] to p[2].
float between(const float* p, float part) {
  const float a = 3.0F * (p[1] - p[2]) + p[3] - p[0];
  const float b = 2.0F * p[0] - 5.0F * p[1] + 4.0F * p[2] - p[3];
  return p[1] + 0.5F * part * (p[2] - p[0] + part * (b + part * a));
}

// The window that starts at `start`, its centre kept, of the clip played at `speed` times its own.
void copy_at_speed(const ClipStore& clips, int clip, std::int64_t start, double speed,
                   std::span<float> window) {
  const auto wanted = static_cast<double>(window.size());
  const double first = static_cast<double>(start) + wanted / 2 * (1 - speed);
  const auto begin = static_cast<std::int64_t>(std::floor(first)) - 1;
  std::vector<float> stretch(static_cast<std::size_t>(std::ceil(wanted * speed)) + 4);
  clips.copy(clip, begin, stretch);
  for (std::size_t i = 0; i < window.size(); ++i) {
    const double at = first + static_cast<double>(i) * speed - static_cast<double>(begin);
    const double whole = std::floor(at);
    window[i] = between(stretch.data() + static_cast<std::size_t>(whole) - 1, static_cast<float>(at - whole));
  }
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
  if (settings.speed > 0) {
    const double change = (2 * static_cast<double>(random.uniform()) - 1) * settings.speed;
    copy_at_speed(clips, clip, start, 1 + change, window);
  } else {
    clips.copy(clip, start, window);
  }
  if (settings.gain_db > 0) {
    const double decibels = (2 * static_cast<double>(random.uniform()) - 1) * settings.gain_db;
    const auto gain = static_cast<float>(std::pow(10.0, decibels / 20));
    for (float& sample : window) sample *= gain;
  }

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
