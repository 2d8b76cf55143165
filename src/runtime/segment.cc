#include "runtime/segment.h"

#include <algorithm>
#include <cstdint>

namespace bittern::runtime {
namespace {

std::int64_t energy(float sample) {
  const auto rounded = static_cast<std::int64_t>(std::clamp(sample, -1.0F, 1.0F) * 32768.0F);
  return rounded * rounded;
}

std::size_t loudest(std::span<const float> samples, std::size_t window) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < window; ++i) sum += energy(samples[i]);
  std::int64_t best = sum;
  std::size_t begin = 0;
  for (std::size_t i = window; i < samples.size(); ++i) {
    sum += energy(samples[i]) - energy(samples[i - window]);
    if (sum > best) {
      best = sum;
      begin = i - window + 1;
    }
  }
  return begin;
}

}  // namespace

std::span<const float> choose_segment(std::span<const float> samples, std::size_t window,
                                      Segment segment) noexcept {
  if (samples.size() <= window) return samples;
  switch (segment) {
    case Segment::kCentre:
      return samples.subspan((samples.size() - window) / 2, window);
    case Segment::kLoudest:
      return samples.subspan(loudest(samples, window), window);
    case Segment::kWhole:
      break;
  }
  return samples;
}

void centre_in_silence(std::span<const float> samples, std::span<float> window) noexcept {
  const std::size_t before = (window.size() - samples.size()) / 2;
  std::fill(window.begin(), window.end(), 0.0F);
  std::copy(samples.begin(), samples.end(), window.begin() + static_cast<std::ptrdiff_t>(before));
}

}  // namespace bittern::runtime
