// Mono audio from one rate to another, in pieces.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/status.h"

struct soxr;

namespace bittern::audio {

inline constexpr int kMinRate = 1000;    // Hz: below it nothing is speech
inline constexpr int kMaxRate = 768000;  // Hz: the fastest converters there are

// kInvalidArgument outside [kMinRate, kMaxRate].
Status check_rate(int rate);

// soxr at its high quality (SOXR_HQ), one thread: the same samples give the same result, however they are
// cut into pieces. n samples become round(n * to / from): none where that is under a half.
class Resampler {
 public:
  static Expected<Resampler> create(int from_rate, int to_rate);

  // Appends what `samples` make to `output`; finish() appends the rest.
  Status push(std::span<const float> samples, std::vector<float>& output);
  Status finish(std::vector<float>& output);

 private:
  struct Delete {
    void operator()(soxr* handle) const noexcept;
  };
  using Handle = std::unique_ptr<soxr, Delete>;
  Resampler(Handle handle, double ratio) : handle_(std::move(handle)), ratio_(ratio) {}
  Status process(const float* samples, std::size_t count, std::vector<float>& output);

  Handle handle_;  // null: the rates are equal, samples pass through
  double ratio_;
};

}  // namespace bittern::audio
