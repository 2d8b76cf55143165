#include "features/front_end.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace bittern::features {
namespace {

// Blocks are read four samples at a time, so up to three past the last frame.
constexpr std::size_t kOverread = 3;

}  // namespace

FrontEnd::FrontEnd(LogMelSpec spec, Tables tables, const BlockFunctions& functions, Memory memory)
    : spec_(std::move(spec)),
      tables_(std::move(tables)),
      functions_(&functions),
      work_(memory == Memory::kOwn ? functions.work_floats(tables_) : 0),
      energies_(tables_.mel_bins * functions.lanes),
      batch_(block_samples() + kOverread),
      pending_(memory == Memory::kOwn ? block_samples() + kOverread : 0) {}

bool FrontEnd::has_memory(Memory memory) const {
  const bool own = work_.size() != 0 && pending_.size() != 0;
  return (own || memory == Memory::kGiven) && energies_.size() != 0 && batch_.size() != 0;
}

Expected<FrontEnd> FrontEnd::create(const LogMelSpec& spec, Isa isa, Memory memory) {
  BITTERN_RETURN_IF_ERROR(spec.validate());
  BITTERN_ASSIGN_OR_RETURN(Tables tables, make_tables(spec));
  FrontEnd front_end(spec, std::move(tables), block_functions(isa), memory);
  if (!front_end.has_memory(memory)) {
    return Error{ErrorCode::kOutOfMemory, "front end: no memory for its buffers"};
  }
  return front_end;
}

void FrontEnd::run_block(float* work, const float* samples, std::size_t frames, float* output,
                         Output kind) noexcept {
  functions_->energies(tables_, samples, work, energies_.data());
  if (kind == Output::kLogMel) functions_->logarithms(tables_, energies_.data());
  functions_->store_rows(tables_, energies_.data(), frames, output);
}

void FrontEnd::compute_in(std::span<float> work, std::span<const float> samples,
                          std::span<float> output) noexcept {
  // Of energies()' memory only this must be zero at first: what a frame is shorter than the FFT.
  const std::size_t lanes = functions_->lanes;
  std::fill(work.begin() + static_cast<std::ptrdiff_t>(tables_.window.size() * lanes),
            work.begin() + static_cast<std::ptrdiff_t>(tables_.fft_size * lanes), 0.0F);
  compute_with(work.data(), samples, output, Output::kLogMel);
}

void FrontEnd::compute_with(float* work, std::span<const float> samples, std::span<float> output,
                            Output kind) noexcept {
  const std::size_t lanes = functions_->lanes;
  const std::size_t frames =
      samples.size() < tables_.frame_length ? 0 : 1 + (samples.size() - tables_.frame_length) / tables_.hop;
  for (std::size_t first = 0; first < frames; first += lanes) {
    const std::size_t count = std::min(lanes, frames - first);
    const std::size_t needed = (count - 1) * tables_.hop + tables_.frame_length;
    functions_->sanitize(samples.data() + first * tables_.hop, needed, batch_.data());
    run_block(work, batch_.data(), count, output.data() + first * tables_.mel_bins, kind);
  }
}

std::size_t FrontEnd::frames_after(std::size_t samples) const noexcept {
  if (pending_count_ + samples < tables_.frame_length) return 0;
  return 1 + (pending_count_ + samples - tables_.frame_length) / tables_.hop;
}

std::size_t FrontEnd::push(std::span<const float> samples, std::span<float> output) noexcept {
  std::size_t written = 0;
  while (!samples.empty()) {
    const std::size_t taken = std::min(samples.size(), block_samples() - pending_count_);
    functions_->sanitize(samples.data(), taken, pending_.data() + pending_count_);
    samples = samples.subspan(taken);
    pending_count_ += taken;
    if (pending_count_ < tables_.frame_length) break;
    const std::size_t frames = 1 + (pending_count_ - tables_.frame_length) / tables_.hop;
    if (frames < functions_->lanes && !samples.empty()) continue;
    run_block(work_.data(), pending_.data(), frames, output.data() + written * tables_.mel_bins,
              Output::kLogMel);
    written += frames;
    const std::size_t done = frames * tables_.hop;
    pending_count_ -= done;
    std::memmove(pending_.data(), pending_.data() + done, pending_count_ * sizeof(float));
  }
  return written;
}

}  // namespace bittern::features
