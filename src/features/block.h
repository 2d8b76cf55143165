// The front end over one block of frames, a frame per vector lane, compiled once per instruction set. Every
// lane performs the same operations in the same order, so a frame's features do not depend on the lane, the
// vector's width or the other frames.
#pragma once

#include <cstddef>

#include "core/isa.h"
#include "features/tables.h"

namespace bittern::features {

struct BlockFunctions {
  std::size_t lanes;  // frames per block

  // Copies samples into the range that the front end works with; see kLeastSample. Any alignment.
  void (*sanitize)(const float* samples, std::size_t count, float* output) noexcept;

  // samples: frame l starts at l hop; (lanes - 1) hop + frame_length sanitized samples and 3 more floats that
  // are read and do not matter (finite). work: work_floats(), 64-byte aligned, of which [window.size(),
  // fft_size)[lanes] are zero before and after. energies: [mel_bins][lanes], the weighted sums of magnitudes,
  // aligned.
  void (*energies)(const Tables& tables, const float* samples, float* work, float* energies) noexcept;

  // ln(energy + offset), normalised where the spec says so, in place: [mel_bins][lanes].
  void (*logarithms)(const Tables& tables, float* energies) noexcept;

  // The first `frames` lanes as rows: output [frames][mel_bins], any alignment.
  void (*store_rows)(const Tables& tables, const float* energies, std::size_t frames, float* output) noexcept;

  // Floats of working memory of energies(): fft_size real points, fft_size / 4 complex ones, fft_size / 2
  // magnitudes.
  std::size_t work_floats(const Tables& tables) const { return 2 * tables.fft_size * lanes; }
};

const BlockFunctions& block_functions(Isa isa) noexcept;

}  // namespace bittern::features
