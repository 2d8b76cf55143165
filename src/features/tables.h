// What create() computes from a spec, and the plan of the FFT.
//
// The frame is real, so no complex FFT of fft_size is needed. From n real points t (n = fft_size at first):
//
//   - a complex FFT of n / 4 points gives every frequency 4 k + 1 of n, and, mirrored, every 4 k + 3:
//       z[j] = ((t[j] - t[j + n/2]) - i (t[j + n/4] - t[j + 3n/4])) w_n^j,    w_n = exp(-2 pi i / n)
//   - the even frequencies are those of n / 2 real points, t[j] + t[j + n/2]: the same again, one level down.
//
// The levels fft_size, fft_size / 2, ..., 4 give bins 1 to fft_size / 2 - 1, each once and with nothing left
// to untangle. Bin 0 and bin fft_size / 2 have weight 0 in every mel filter and are never computed.
//
// Each complex FFT of m points decimates in frequency, in place: a pass of radix R over m points is m / R
// butterflies over the points j, j + m/R, ..., the outputs p times w_m^(j p), then R FFTs of m / R points.
// The last pass of a level turns points into magnitudes and stores each where its bin belongs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "core/aligned.h"
#include "core/status.h"
#include "features/log_mel_spec.h"

namespace bittern::features {

// The window carries this factor and the mel weights its inverse (both exact), so that no intermediate of
// audible audio comes near the denormal numbers.
inline constexpr float kGain = 0x1p24F;

// Samples are brought into this range first: smaller ones (-240 dB) and NaN count as 0, larger ones are
// clipped.
inline constexpr float kLeastSample = 0x1p-40F;
inline constexpr float kMostSample = 0x1p16F;

// The radix of the first pass over 2^log2_points points: eights, then fours, a two only where nothing else
// fits.
constexpr int radix_log2(int log2_points) {
  if (log2_points <= 3) return log2_points;
  return log2_points == 4 ? 2 : 3;
}

inline constexpr int kMaxLog2Fft = 13;

struct Tables {
  std::size_t frame_length = 0, hop = 0, fft_size = 0, mel_bins = 0;
  float offset = 0;

  AlignedBuffer<float> window;  // [align_up(frame_length, 4)], times kGain, zeros past the frame
  AlignedBuffer<float> turns;   // [fft_size / 4] pairs (re, im) of w_fft_size^i
  // Pairs (re, im) of w_m^(j p) in the order [j][p - 1] at twiddles + twiddle_offset[log2 m], for every m
  // whose first pass is not its last.
  AlignedBuffer<float> twiddles;
  std::array<std::size_t, kMaxLog2Fft> twiddle_offset{};
  // The FFT bin whose magnitude each point becomes, level after level in order of computation.
  AlignedBuffer<std::uint16_t> bins;
  AlignedBuffer<std::int32_t> first_bin;  // [mel_bins + 2], as MelFilters::first
  AlignedBuffer<float> weights;           // pairs (rising, falling) over kGain, from bin first_bin[0] on
  AlignedBuffer<float> normalize;         // [mel_bins] pairs (scale, bias), or empty
};

// Of a valid spec. Error: kOutOfMemory.
Expected<Tables> make_tables(const LogMelSpec& spec);

}  // namespace bittern::features
