#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string>

#include "audio/audio.h"
#include "audio/resampler.h"
#include "core/atomic_file.h"

namespace bittern::audio {
namespace {

void put(std::string& bytes, std::uint32_t value, int count) {
  for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i) & 0xFFU);
}

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

Status write_wav(const std::filesystem::path& path, const std::vector<float>& samples, int sample_rate) {
  BITTERN_RETURN_IF_ERROR(check_rate(sample_rate));
  constexpr std::size_t kMaxSamples = 0x7FFFFFFF / 2 - 64;  // sizes in a WAV have 32 bits
  if (samples.size() > kMaxSamples) return invalid_argument(path.string() + ": too long for a WAV file");
  const auto data_bytes = static_cast<std::uint32_t>(samples.size() * 2);
  const auto rate = static_cast<std::uint32_t>(sample_rate);
  std::string bytes;
  bytes.reserve(44 + data_bytes);
  bytes += "RIFF";
  put(bytes, 36 + data_bytes, 4);
  bytes += "WAVEfmt ";
  put(bytes, 16, 4);
  put(bytes, 1, 2);         // PCM
  put(bytes, 1, 2);         // channels
  put(bytes, rate, 4);      // frames per second
  put(bytes, rate * 2, 4);  // bytes per second
  put(bytes, 2, 2);         // bytes per frame
  put(bytes, 16, 2);        // bits per sample
  bytes += "data";
  put(bytes, data_bytes, 4);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    if (!std::isfinite(samples[i]))
      return invalid_argument(fmt::format("{}: sample {} is not a number", path.string(), i));
    const float scaled = std::clamp(samples[i] * 32768.0F, -32768.0F, 32767.0F);
    put(bytes, static_cast<std::uint32_t>(std::lrint(scaled)), 2);
  }
  return write_file(path, bytes);
}

bool has_audio_extension(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 7> kExtensions = {".wav", ".wave", ".flac", ".ogg",
                                                                  ".oga", ".opus", ".mp3"};
  const std::string extension = lower(path.extension().string());
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace bittern::audio
