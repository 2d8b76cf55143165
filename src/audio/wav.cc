#include <fmt/format.h>

#include <algorithm>
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

}  // namespace

Expected<std::string> wav_bytes(const std::string& name, const std::vector<float>& samples, int sample_rate) {
  BITTERN_RETURN_IF_ERROR(check_rate(sample_rate));
  constexpr std::size_t kMaxSamples = 0x7FFFFFFF / 2 - 64;  // sizes in a WAV have 32 bits
  if (samples.size() > kMaxSamples) return invalid_argument(name + ": too long for a WAV file");
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
      return invalid_argument(fmt::format("{}: sample {} is not a number", name, i));
    const float scaled = std::clamp(samples[i] * 32768.0F, -32768.0F, 32767.0F);
    put(bytes, static_cast<std::uint32_t>(std::lrint(scaled)), 2);
  }
  return bytes;
}

Status write_wav(const std::filesystem::path& path, const std::vector<float>& samples, int sample_rate) {
  BITTERN_ASSIGN_OR_RETURN(const std::string bytes, wav_bytes(path.string(), samples, sample_rate));
  return write_file(path, bytes);
}

}  // namespace bittern::audio
