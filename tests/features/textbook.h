// The front end as a textbook writes it: double precision, libm, every step plain.
#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstddef>
#include <numbers>
#include <span>
#include <vector>

#include "features/log_mel_spec.h"

namespace bittern::features::textbook {

inline std::vector<std::complex<double>> fft(const std::vector<std::complex<double>>& x) {
  const std::size_t n = x.size();
  if (n == 1) return x;
  std::vector<std::complex<double>> even(n / 2), odd(n / 2), y(n);
  for (std::size_t i = 0; i < n / 2; ++i) even[i] = x[2 * i], odd[i] = x[2 * i + 1];
  even = fft(even);
  odd = fft(odd);
  for (std::size_t k = 0; k < n / 2; ++k) {
    const auto w = std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(k) / static_cast<double>(n));
    y[k] = even[k] + w * odd[k];
    y[k + n / 2] = even[k] - w * odd[k];
  }
  return y;
}

inline double mel_of_hz(double hz) { return 1127.0 * std::log(1.0 + hz / 700.0); }

// [mel_bins][fft_size / 2 + 1]
inline std::vector<std::vector<double>> mel_matrix(const LogMelSpec& spec) {
  const double low = mel_of_hz(static_cast<double>(spec.low_hz));
  const double high = mel_of_hz(static_cast<double>(spec.high_hz));
  const auto edge = [&](int i) { return low + (high - low) * i / (spec.mel_bins + 1); };
  std::vector<std::vector<double>> matrix;
  for (int j = 0; j < spec.mel_bins; ++j) {
    std::vector<double> row(static_cast<std::size_t>(spec.fft_size / 2 + 1), 0.0);
    for (int bin = 1; bin <= spec.fft_size / 2; ++bin) {
      const double m = mel_of_hz(static_cast<double>(bin) * spec.sample_rate / spec.fft_size);
      const double up = (m - edge(j)) / (edge(j + 1) - edge(j));
      const double down = (edge(j + 2) - m) / (edge(j + 2) - edge(j + 1));
      row[static_cast<std::size_t>(bin)] = std::max(0.0, std::min(up, down));
    }
    matrix.push_back(row);
  }
  return matrix;
}

struct Frame {
  std::vector<double> energies;  // [mel_bins], before offset and logarithm
  double largest_magnitude;      // over the whole spectrum
};

inline std::vector<Frame> frames(const LogMelSpec& spec, std::span<const float> samples) {
  const auto matrix = mel_matrix(spec);
  const auto length = static_cast<std::size_t>(spec.frame_length);
  std::vector<Frame> result;
  for (std::size_t start = 0; start + length <= samples.size(); start += static_cast<std::size_t>(spec.hop)) {
    std::vector<std::complex<double>> x(static_cast<std::size_t>(spec.fft_size), 0.0);
    for (std::size_t i = 0; i < length; ++i) {
      const double phase = 2 * std::numbers::pi * static_cast<double>(i) / static_cast<double>(length);
      x[i] = static_cast<double>(samples[start + i]) * (0.5 - 0.5 * std::cos(phase));
    }
    const auto spectrum = fft(x);
    Frame frame{{}, 0.0};
    for (const auto& value : spectrum)
      frame.largest_magnitude = std::max(frame.largest_magnitude, std::abs(value));
    for (const auto& row : matrix) {
      double sum = 0;
      for (std::size_t bin = 0; bin < row.size(); ++bin) sum += row[bin] * std::abs(spectrum[bin]);
      frame.energies.push_back(sum);
    }
    result.push_back(frame);
  }
  return result;
}

// What single precision is asked to hold of one mel energy.
inline double tolerance(double energy, const Frame& frame) {
  return 1e-3 * (energy + 1e-6) + 1e-6 * frame.largest_magnitude;
}

}  // namespace bittern::features::textbook
