// Mono audio from one rate to another, in pieces.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "core/status.h"

struct soxr;

namespace bittern::audio {

// kInvalidArgument outside [kMinRate, kMaxRate] of audio.h.
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
  explicit Resampler(Handle handle) : handle_(std::move(handle)) {}
  Status process(const float* samples, std::size_t count, std::vector<float>& output);

  Handle handle_;  // null: the rates are equal, samples pass through
};

}  // namespace bittern::audio
