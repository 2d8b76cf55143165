// Audio files for tests: through libsndfile, and WAV files byte by byte.
#pragma once

#include <sndfile.h>

#include <cmath>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audio/temp_folder.h"

namespace bittern::test {

inline std::vector<float> tone(int samples, double hz = 440, int rate = 16000, double amplitude = 0.5) {
  std::vector<float> wave;
  wave.reserve(static_cast<std::size_t>(samples));
  for (int i = 0; i < samples; ++i)
    wave.push_back(static_cast<float>(amplitude * std::sin(2 * M_PI * hz * i / rate)));
  return wave;
}

// `format` is libsndfile's, such as SF_FORMAT_FLAC | SF_FORMAT_PCM_16. False where it could not be written.
inline bool write_audio(const std::filesystem::path& path, int format, const std::vector<float>& interleaved,
                        int rate = 16000, int channels = 1) {
  std::filesystem::create_directories(path.parent_path());
  SF_INFO info = {};
  info.samplerate = rate;
  info.channels = channels;
  info.format = format;
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) return false;
  const auto frames = static_cast<sf_count_t>(interleaved.size()) / channels;
  const bool whole = sf_writef_float(file, interleaved.data(), frames) == frames;
  sf_close(file);
  return whole;
}

// `count` bytes of `value`, least significant first.
inline std::string little(std::uint64_t value, int count) {
  std::string bytes;
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
  return bytes;
}

// A RIFF chunk with its pad byte where the size is odd.
inline std::string chunk(std::string_view id, std::string_view body) {
  std::string bytes = std::string(id) + little(body.size(), 4) + std::string(body);
  if (body.size() % 2 != 0) bytes += '\0';
  return bytes;
}

inline std::string riff(std::string_view chunks) {
  return "RIFF" + little(chunks.size() + 4, 4) + "WAVE" + std::string(chunks);
}

// The 16 bytes of a plain `fmt ` chunk; `tag` 1 = integers, 3 = floats.
inline std::string format_body(int tag, int channels, int rate, int bits) {
  const int frame = channels * bits / 8;
  return little(static_cast<std::uint64_t>(tag), 2) + little(static_cast<std::uint64_t>(channels), 2) +
         little(static_cast<std::uint64_t>(rate), 4) +
         little(static_cast<std::uint64_t>(rate) * static_cast<std::uint64_t>(frame), 4) +
         little(static_cast<std::uint64_t>(frame), 2) + little(static_cast<std::uint64_t>(bits), 2);
}

inline std::string pcm16(const std::vector<int>& values) {
  std::string bytes;
  for (const int value : values) bytes += little(static_cast<std::uint64_t>(value), 2);
  return bytes;
}

}  // namespace bittern::test
