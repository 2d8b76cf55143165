// Triangular mel filters over FFT bins, sparse.
#pragma once

#include <vector>

#include "core/status.h"
#include "features/log_mel_spec.h"

namespace bittern::features {

// The triangles overlap by half, so a bin between two neighbouring edges stands on the falling side of one
// filter and on the rising side of the next:
//
//      edges       0     1     2     3            mel_bins + 2 edges, equally spaced in mel
//      filter 0    . /\  .     .                  rises in segment 0, falls in segment 1
//      filter 1    .     . /\  .                  rises in segment 1, falls in segment 2
//
// Formulas as TensorFlow's linear_to_mel_weight_matrix: with m the mel of bin b (b sample_rate / fft_size Hz)
// in segment s, rising = (m - edge[s]) / (edge[s + 1] - edge[s]), falling = (edge[s + 1] - m) / (the same).
struct MelFilters {
  // FFT bins first[s] .. first[s + 1] - 1 lie in segment s: [mel_bins + 2].
  std::vector<int> first;
  // One each per bin, from bin first[0] on. In segment 0 nothing falls, in the last one nothing rises: 0
  // there.
  std::vector<float> rising;
  std::vector<float> falling;
};

// Of a spec whose fields are in range. Error: a filter that no FFT bin falls into (it could only ever say
// ln(offset)).
Expected<MelFilters> make_mel_filters(const LogMelSpec& spec);

}  // namespace bittern::features
