#include "evaluation/timing.h"

#include <algorithm>
#include <chrono>
#include <limits>

namespace bittern::evaluation {

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  std::sort(values.begin(), values.end());
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::int64_t planned_samples(const features::LogMelSpec& spec, runtime::Segment segment,
                             std::size_t samples) {
  const std::int64_t window = spec.clip_samples;
  if (segment != runtime::Segment::kWhole) return window;
  return std::max(window, static_cast<std::int64_t>(samples));
}

Expected<Timer> Timer::create(const std::shared_ptr<const model::Model>& model,
                              const runtime::SessionOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(runtime::Session session, runtime::Session::create(model, options));
  return Timer(std::move(session));
}

Expected<double> Timer::once(std::span<const float> samples, const exits::Policy& policy,
                             std::span<const std::uint8_t> only) {
  BITTERN_RETURN_IF_ERROR(session_.plan(samples.size()));
  runtime::Classification answer;
  const auto start = std::chrono::steady_clock::now();
  BITTERN_RETURN_IF_ERROR(session_.classify(samples, policy, answer, only));
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

Expected<double> Timer::microseconds(std::span<const float> samples, const exits::Policy& policy,
                                     std::span<const std::uint8_t> only) {
  std::vector<double> times;
  for (int repeat = 0; repeat < kTimingRepeats; ++repeat) {
    BITTERN_ASSIGN_OR_RETURN(const double time, once(samples, policy, only));
    times.push_back(time);
  }
  return median(std::move(times));
}

Expected<std::vector<double>> Timer::median_microseconds(
    std::span<const std::vector<float>> clips, std::span<const exits::Policy> policies,
    std::span<const std::uint8_t> only, const std::function<bool(std::size_t, std::size_t)>& go_on) {
  const std::size_t count = std::min(clips.size(), kTimingClips);
  std::vector<std::vector<double>> times(policies.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (go_on && !go_on(i, count)) return Error{ErrorCode::kCancelled, "interrupted"};
    const std::vector<float>& clip = clips[i * clips.size() / count];
    std::vector<std::vector<double>> of_clip(policies.size());
    for (int repeat = 0; repeat < kTimingRepeats; ++repeat) {
      for (std::size_t p = 0; p < policies.size(); ++p) {
        BITTERN_ASSIGN_OR_RETURN(const double time, once(clip, policies[p], only));
        of_clip[p].push_back(time);
      }
    }
    for (std::size_t p = 0; p < policies.size(); ++p) times[p].push_back(median(std::move(of_clip[p])));
  }
  std::vector<double> medians;
  medians.reserve(times.size());
  for (std::vector<double>& row : times) medians.push_back(median(std::move(row)));
  return medians;
}

}  // namespace bittern::evaluation
