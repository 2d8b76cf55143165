// Every parameter of the front end. A model file stores it; the defaults are the paper author's own settings.
#pragma once

#include <cstdint>
#include <vector>

#include "core/status.h"

namespace bittern::features {

struct LogMelSpec {
  int sample_rate = 16000;   // Hz
  int clip_samples = 16000;  // the window that a network is trained on
  int frame_length = 400;    // samples under one FFT, periodic Hann window
  int hop = 160;             // samples from frame to frame, no centring
  int fft_size = 1024;       // power of two, frame zero-padded to it
  int mel_bins = 64;         // triangles on the HTK mel scale, unit peak, on magnitudes (not power)
  float low_hz = 60.0F;
  float high_hz = 7800.0F;
  float offset = 1e-6F;  // output = ln(mel + offset)
  // Optional affine per bin applied last, both empty or [mel_bins]: y = x * normalize_scale + normalize_bias.
  std::vector<float> normalize_scale;
  std::vector<float> normalize_bias;

  bool operator==(const LogMelSpec&) const = default;

  // Frames of `samples` samples: 0 below frame_length, else 1 + (samples - frame_length) / hop.
  int frames(std::int64_t samples) const;
  int clip_frames() const { return frames(clip_samples); }

  // Checks every field; the error names the field, its value and the range.
  Status validate() const;
};

}  // namespace bittern::features
