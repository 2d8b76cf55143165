#include "features/tables.h"

#include <bit>
#include <initializer_list>
#include <utility>

#include "features/double_math.h"
#include "features/mel_filters.h"

namespace bittern::features {
namespace {

int log2_of(std::size_t power) { return std::countr_zero(power); }

// exp(-2 pi i k / n)
void store_turn(std::uint64_t k, std::uint64_t n, float* pair) {
  const UnitCirclePoint point = unit_circle(k, n);
  pair[0] = static_cast<float>(point.cosine);
  pair[1] = static_cast<float>(-point.sine);
}

void fill_window(Tables& t) {
  for (std::size_t i = 0; i < t.frame_length; ++i) {
    const double hann = 0.5 - 0.5 * unit_circle(i, t.frame_length).cosine;
    t.window[i] = static_cast<float>(hann) * kGain;
  }
}

void fill_twiddles(Tables& t) {
  for (std::size_t i = 0; i < t.fft_size / 4; ++i) store_turn(i, t.fft_size, t.turns.data() + 2 * i);
  std::size_t at = 0;
  for (int log2_m = 1; (std::size_t{1} << log2_m) <= t.fft_size / 4; ++log2_m) {
    const int log2_r = radix_log2(log2_m);
    if (log2_r == log2_m) continue;
    const std::size_t m = std::size_t{1} << log2_m;
    const std::size_t radix = std::size_t{1} << log2_r;
    t.twiddle_offset[static_cast<std::size_t>(log2_m)] = at;
    for (std::size_t j = 0; j < m / radix; ++j) {
      for (std::size_t p = 1; p < radix; ++p, at += 2) store_turn(j * p, m, t.twiddles.data() + at);
    }
  }
}

// Points per complex FFT that need twiddles of their own: all but a radix's worth at each m.
std::size_t count_twiddles(std::size_t fft_size) {
  std::size_t pairs = 0;
  for (int log2_m = 1; (std::size_t{1} << log2_m) <= fft_size / 4; ++log2_m) {
    const int log2_r = radix_log2(log2_m);
    if (log2_r != log2_m) pairs += (std::size_t{1} << (log2_m - log2_r)) * ((std::size_t{1} << log2_r) - 1);
  }
  return pairs;
}

// Which output k of its FFT each point ends up as: point p of a first pass leads the FFT of outputs p, p + R,
// ...
void fill_bins(const Tables& t, std::uint16_t* bins, std::size_t level, std::size_t points, std::size_t k,
               std::size_t step) {
  if (points == 1) {
    const std::size_t bin = (4 * k + 1) * (t.fft_size / level);
    *bins = static_cast<std::uint16_t>(bin < t.fft_size / 2 ? bin : t.fft_size - bin);
    return;
  }
  const std::size_t radix = std::size_t{1} << radix_log2(log2_of(points));
  for (std::size_t p = 0; p < radix; ++p) {
    fill_bins(t, bins + p * (points / radix), level, points / radix, k + p * step, step * radix);
  }
}

}  // namespace

Expected<Tables> make_tables(const LogMelSpec& spec) {
  BITTERN_ASSIGN_OR_RETURN(const MelFilters filters, make_mel_filters(spec));
  Tables t;
  t.frame_length = static_cast<std::size_t>(spec.frame_length);
  t.hop = static_cast<std::size_t>(spec.hop);
  t.fft_size = static_cast<std::size_t>(spec.fft_size);
  t.mel_bins = static_cast<std::size_t>(spec.mel_bins);
  t.offset = spec.offset;

  t.window = AlignedBuffer<float>(align_up(t.frame_length, 4));
  t.turns = AlignedBuffer<float>(t.fft_size / 2);
  t.twiddles = AlignedBuffer<float>(2 * count_twiddles(t.fft_size));
  t.bins = AlignedBuffer<std::uint16_t>(t.fft_size / 2 - 1);
  t.first_bin = AlignedBuffer<std::int32_t>(filters.first.size());
  t.weights = AlignedBuffer<float>(2 * filters.rising.size());
  t.normalize = AlignedBuffer<float>(2 * spec.normalize_scale.size());
  if (t.window.size() == 0 || t.turns.size() == 0 || t.bins.size() == 0 || t.first_bin.size() == 0 ||
      t.weights.size() == 0 || t.twiddles.size() != 2 * count_twiddles(t.fft_size) ||
      t.normalize.size() != 2 * spec.normalize_scale.size()) {
    return Error{ErrorCode::kOutOfMemory, "front end: no memory for its tables"};
  }

  fill_window(t);
  fill_twiddles(t);
  std::uint16_t* bins = t.bins.data();
  for (std::size_t level = t.fft_size; level >= 4; bins += level / 4, level /= 2) {
    fill_bins(t, bins, level, level / 4, 0, 1);
  }
  for (std::size_t s = 0; s < filters.first.size(); ++s) t.first_bin[s] = filters.first[s];
  for (std::size_t b = 0; b < filters.rising.size(); ++b) {
    t.weights[2 * b] = filters.rising[b] / kGain;
    t.weights[2 * b + 1] = filters.falling[b] / kGain;
  }
  for (std::size_t j = 0; j < spec.normalize_scale.size(); ++j) {
    t.normalize[2 * j] = spec.normalize_scale[j];
    t.normalize[2 * j + 1] = spec.normalize_bias[j];
  }
  return t;
}

}  // namespace bittern::features
