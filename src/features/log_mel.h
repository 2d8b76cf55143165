// Samples to log-mel features, whole clips or as they arrive, with the same bits either way and on every
// instruction set.
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "core/isa.h"
#include "core/status.h"
#include "features/log_mel_spec.h"

namespace bittern::features {

// Not thread-safe: one per thread. Allocates in create() only.
class LogMel {
 public:
  static Expected<LogMel> create(const LogMelSpec& spec, Isa isa = best_isa());
  // For compute_in() alone: without the working memory that all else needs.
  static Expected<LogMel> create_without_memory(const LogMelSpec& spec, Isa isa = best_isa());
  LogMel(LogMel&&) noexcept;
  LogMel& operator=(LogMel&&) noexcept;
  ~LogMel();

  const LogMelSpec& spec() const;

  // Batch. samples: mono floats, finite, full scale +-1. output: [spec().frames(samples.size()), mel_bins],
  // row-major. Does not touch the incremental state.
  void compute(std::span<const float> samples, std::span<float> output) noexcept;
  // The same in `work`, work_floats() floats of the caller's, 64-byte aligned, whatever is in them.
  std::size_t work_floats() const noexcept;
  void compute_in(std::span<float> work, std::span<const float> samples, std::span<float> output) noexcept;

  // Incremental: writes the frames that `samples` complete to `output`, oldest first, and returns their
  // number. output must hold at least frames_after(samples.size()) rows. Any chunking gives the rows of
  // compute() over the whole.
  std::size_t push(std::span<const float> samples, std::span<float> output) noexcept;
  std::size_t frames_after(
      std::size_t samples) const noexcept;  // how many rows the next push() of so many samples gives
  void reset() noexcept;                    // forgets what was pushed

 private:
  struct State;
  explicit LogMel(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bittern::features
