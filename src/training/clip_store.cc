#include "training/clip_store.h"

#include <algorithm>
#include <array>
#include <utility>

namespace bittern::training {
namespace {

constexpr float kFullScale = 32768.0F;

}  // namespace

ClipStore::ClipStore(datasets::LoadedClips clips) : labels_(std::move(clips.labels)) {
  clips_.reserve(clips.samples.size());
  for (std::vector<float>& samples : clips.samples) clips_.push_back(pack(std::move(samples)));
}

ClipStore::Samples ClipStore::pack(std::vector<float> samples) {
  Samples packed;
  packed.integers.reserve(samples.size());
  for (const float sample : samples) {
    const float scaled = sample * kFullScale;
    const auto integer = static_cast<std::int16_t>(std::clamp(scaled, -kFullScale, kFullScale - 1.0F));
    if (static_cast<float>(integer) != scaled) {
      samples.shrink_to_fit();
      return {{}, std::move(samples)};
    }
    packed.integers.push_back(integer);
  }
  return packed;
}

std::int64_t ClipStore::length(int clip) const {
  const Samples& samples = clips_[static_cast<std::size_t>(clip)];
  return static_cast<std::int64_t>(std::max(samples.integers.size(), samples.floats.size()));
}

std::size_t ClipStore::bytes() const {
  std::size_t total = 0;
  for (const Samples& samples : clips_)
    total += samples.integers.size() * sizeof(std::int16_t) + samples.floats.size() * sizeof(float);
  return total;
}

void ClipStore::add_to(Digest& digest) const {
  const int count = size();
  digest.add(std::as_bytes(std::span(&count, 1)));
  for (int clip = 0; clip < size(); ++clip) {
    const std::array<std::int64_t, 2> head{label(clip), length(clip)};
    digest.add(std::as_bytes(std::span(head)));
    const Samples& samples = clips_[static_cast<std::size_t>(clip)];
    digest.add(std::as_bytes(std::span(samples.integers)));
    digest.add(std::as_bytes(std::span(samples.floats)));
  }
}

void ClipStore::copy(int clip, std::int64_t start, std::span<float> output) const {
  const Samples& samples = clips_[static_cast<std::size_t>(clip)];
  const auto wanted = static_cast<std::int64_t>(output.size());
  const std::int64_t first = std::clamp<std::int64_t>(-start, 0, wanted);
  const std::int64_t last = std::clamp<std::int64_t>(length(clip) - start, first, wanted);
  std::fill(output.begin(), output.begin() + first, 0.0F);
  std::fill(output.begin() + last, output.end(), 0.0F);
  const bool integers = samples.floats.empty();
  for (std::int64_t i = first; i < last; ++i) {
    const auto from = static_cast<std::size_t>(start + i);
    output[static_cast<std::size_t>(i)] =
        integers ? static_cast<float>(samples.integers[from]) / kFullScale : samples.floats[from];
  }
}

std::int64_t ClipStore::centre(std::int64_t length, std::int64_t window) {
  return length >= window ? (length - window) / 2 : -((window - length) / 2);
}

}  // namespace bittern::training
