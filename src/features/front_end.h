// What LogMel is made of. Apart from it, tests may ask for the mel energies before the logarithm.
#pragma once

#include <cstddef>
#include <span>

#include "core/aligned.h"
#include "core/isa.h"
#include "core/status.h"
#include "features/block.h"
#include "features/log_mel_spec.h"
#include "features/tables.h"

namespace bittern::features {

enum class Memory {
  kOwn,    // create() takes all
  kGiven,  // compute() is given its working memory each time; there is no other compute(), and no push()
};

enum class Output {
  kLogMel,    // what the network reads
  kEnergies,  // the weighted sums of magnitudes, before offset and logarithm
};

// Memory is taken by create() only.
class FrontEnd {
 public:
  static Expected<FrontEnd> create(const LogMelSpec& spec, Isa isa, Memory memory = Memory::kOwn);

  const LogMelSpec& spec() const { return spec_; }

  // As LogMel's functions of these names.
  void compute(std::span<const float> samples, std::span<float> output,
               Output kind = Output::kLogMel) noexcept {
    compute_with(work_.data(), samples, output, kind);
  }
  std::size_t work_floats() const { return functions_->work_floats(tables_); }
  void compute_in(std::span<float> work, std::span<const float> samples, std::span<float> output) noexcept;
  std::size_t push(std::span<const float> samples, std::span<float> output) noexcept;
  std::size_t frames_after(std::size_t samples) const noexcept;
  void reset() noexcept { pending_count_ = 0; }

 private:
  FrontEnd(LogMelSpec spec, Tables tables, const BlockFunctions& functions, Memory memory);
  bool has_memory(Memory memory) const;

  std::size_t block_samples() const { return (functions_->lanes - 1) * tables_.hop + tables_.frame_length; }
  // The first `frames` frames of a block's samples to as many rows of `output`.
  void run_block(float* work, const float* samples, std::size_t frames, float* output, Output kind) noexcept;
  void compute_with(float* work, std::span<const float> samples, std::span<float> output,
                    Output kind) noexcept;

  LogMelSpec spec_;
  Tables tables_;
  const BlockFunctions* functions_;
  AlignedBuffer<float> work_;
  AlignedBuffer<float> energies_;  // [mel_bins][lanes]
  AlignedBuffer<float> batch_;     // a block's samples
  AlignedBuffer<float> pending_;   // the same for push(): those from the next frame's first on
  std::size_t pending_count_ = 0;
};

}  // namespace bittern::features
