// Audio files and raw PCM to mono float samples at the wanted rate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <vector>

#include "core/status.h"

namespace bittern::audio {

struct DecodeOptions {
  int sample_rate = 16000;    // Hz, of the result
  double max_seconds = 3600;  // longer input is an error
};

// WAV, FLAC, Ogg Vorbis, Opus, MP3: any rate, channels averaged to mono, full scale +-1, resampled (soxr,
// high quality). Errors are one line naming the file: missing, not audio, no samples, NaN or infinite
// samples, truncated beyond use.
Expected<std::vector<float>> decode(const std::filesystem::path& path, const DecodeOptions& options = {});

struct RawFormat {
  int sample_rate = 16000;
  int channels = 1;
};
// Signed 16-bit little-endian PCM, interleaved, to the end of the stream.
Expected<std::vector<float>> decode_raw(std::istream& stream, const RawFormat& format,
                                        const DecodeOptions& options = {});

// Mono samples from one rate to another.
Expected<std::vector<float>> resample(std::vector<float> samples, int from_rate, int to_rate);

// 16-bit mono WAV; values are clipped to full scale. Atomic.
Status write_wav(const std::filesystem::path& path, const std::vector<float>& samples, int sample_rate);

// Whether the name ends like an audio file that decode() reads.
bool has_audio_extension(const std::filesystem::path& path);

}  // namespace bittern::audio
