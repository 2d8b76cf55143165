#include "features/mel_filters.h"

#include <string>

#include "features/double_math.h"

namespace bittern::features {

Expected<MelFilters> make_mel_filters(const LogMelSpec& spec) {
  const double low = mel_of_hz(static_cast<double>(spec.low_hz));
  const double high = mel_of_hz(static_cast<double>(spec.high_hz));
  const int segments = spec.mel_bins + 1;
  const auto edge = [&](int s) {
    return low + (high - low) * (static_cast<double>(s) / static_cast<double>(segments));
  };
  // Bin 0 has weight 0 by definition, and the last one, at half the rate, can at most touch the last edge.
  const int bins = spec.fft_size / 2;
  const auto mel = [&](int bin) {
    return mel_of_hz(static_cast<double>(bin) * static_cast<double>(spec.sample_rate) /
                     static_cast<double>(spec.fft_size));
  };

  MelFilters filters;
  std::vector<int> caught(static_cast<std::size_t>(spec.mel_bins), 0);
  int bin = 1;
  while (bin < bins && mel(bin) < edge(0)) ++bin;
  filters.first.push_back(bin);
  for (int s = 0; s < segments; ++s) {
    const double left = edge(s);
    const double right = edge(s + 1);
    for (; bin < bins; ++bin) {
      const double m = mel(bin);
      if (m >= right) break;
      const bool rises = s < segments - 1;
      const bool falls = s > 0;
      const auto rising = static_cast<float>((m - left) / (right - left));
      const auto falling = static_cast<float>((right - m) / (right - left));
      filters.rising.push_back(rises ? rising : 0.0F);
      filters.falling.push_back(falls ? falling : 0.0F);
      if (rises && rising > 0.0F) ++caught[static_cast<std::size_t>(s)];
      if (falls && falling > 0.0F) ++caught[static_cast<std::size_t>(s - 1)];
    }
    filters.first.push_back(bin);
  }
  for (int j = 0; j < spec.mel_bins; ++j) {
    if (caught[static_cast<std::size_t>(j)] == 0) {
      return invalid_argument(
          "front end: mel bin " + std::to_string(j) + " of " + std::to_string(spec.mel_bins) +
          " lies between two FFT bins and catches none (" + std::to_string(spec.sample_rate) +
          " Hz / fft_size " + std::to_string(spec.fft_size) +
          " apart): use fewer mel_bins or a larger fft_size");
    }
  }
  return filters;
}

}  // namespace bittern::features
