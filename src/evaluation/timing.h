// How long answers take, measured by giving them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/status.h"
#include "exits/rule.h"
#include "model/model.h"
#include "runtime/session.h"

namespace bittern::evaluation {

inline constexpr int kTimingRepeats = 3;
inline constexpr std::size_t kTimingClips = 64;

// How many samples a session plans for, given a clip of so many: at least the model's window, and no more
// where `segment` cuts one out.
std::int64_t planned_samples(const features::LogMelSpec& spec, runtime::Segment segment, std::size_t samples);

// A session that takes the time of its answers: samples to answer, on one thread. Planning for clips of a new
// length is not part of an answer and not timed.
class Timer {
 public:
  static Expected<Timer> create(const std::shared_ptr<const model::Model>& model,
                                const runtime::SessionOptions& options);

  // The median of kTimingRepeats answers.
  Expected<double> microseconds(std::span<const float> samples, const exits::Policy& policy,
                                std::span<const std::uint8_t> only);
  // For each policy the median over at most kTimingClips of `clips`, evenly spaced. Policies take turns on
  // each clip, so that whatever slows the machine down for a while slows all of them. `go_on(done, total)` is
  // asked between clips; false stops with kCancelled. May be null.
  Expected<std::vector<double>> median_microseconds(
      std::span<const std::vector<float>> clips, std::span<const exits::Policy> policies,
      std::span<const std::uint8_t> only, const std::function<bool(std::size_t, std::size_t)>& go_on);

 private:
  explicit Timer(runtime::Session session) : session_(std::move(session)) {}
  Expected<double> once(std::span<const float> samples, const exits::Policy& policy,
                        std::span<const std::uint8_t> only);

  runtime::Session session_;
};

// The middle of `values`, of two middles their mean; NaN of none.
double median(std::vector<double> values);

}  // namespace bittern::evaluation
