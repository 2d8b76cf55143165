// Audio files and raw PCM to mono float samples at the wanted rate.
#pragma once

#include <cstdint>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "core/status.h"

namespace bittern::audio {

inline constexpr int kMinRate = 1000;    // Hz: below it nothing is speech
inline constexpr int kMaxRate = 768000;  // Hz: the fastest converters there are
inline constexpr int kMaxChannels = 256;

struct DecodeOptions {
  int sample_rate = 16000;    // Hz, of the result
  double max_seconds = 3600;  // longer input is an error
};

// WAV, FLAC, Ogg Vorbis, Opus, MP3 (told by content, not by name): any rate from 1 to 768 kHz, channels
// averaged to mono, full scale +-1 (float files may go beyond it), resampled (soxr, high quality). A WAV, Ogg
// or MP3 file that was cut gives what is left of it, a WAV file whose writer died what it has; a FLAC file
// with samples missing is an error, since FLAC counts and checks them. Errors are one line naming the file:
// missing, empty, not audio, no samples, too long, samples that are NaN or beyond +-1024 (the first one's
// place is told), damaged. Works on pipes where the format allows it.
Expected<std::vector<float>> decode(const std::filesystem::path& path, const DecodeOptions& options = {});

struct RawFormat {
  int sample_rate = 16000;
  int channels = 1;
};
// Signed 16-bit little-endian PCM, interleaved, to the end of the stream, which errors call `name`. A part of
// a frame at the end is an error: it means that the channels, or the format, are not what was said. So is a
// stream that begins as files do that decode() reads, except MP3 without a tag, which PCM may begin like.
Expected<std::vector<float>> decode_raw(std::istream& stream, const std::string& name,
                                        const RawFormat& format, const DecodeOptions& options = {});

// Mono samples from one rate to another: n become round(n * to_rate / from_rate).
Expected<std::vector<float>> resample(std::vector<float> samples, int from_rate, int to_rate);

// The bytes of a 16-bit mono WAV; values are clipped to full scale, NaN and infinite ones are an error, which
// calls it `name`.
Expected<std::string> wav_bytes(const std::string& name, const std::vector<float>& samples, int sample_rate);
// The same as a file. Atomic.
Status write_wav(const std::filesystem::path& path, const std::vector<float>& samples, int sample_rate);

// Whether the name ends like an audio file that decode() reads.
bool has_audio_extension(const std::filesystem::path& path);

}  // namespace bittern::audio
