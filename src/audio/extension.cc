#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "audio/audio.h"

namespace bittern::audio {
namespace {

std::string lower(std::string text) {
  for (char& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

}  // namespace

bool has_audio_extension(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 7> kExtensions = {".wav", ".wave", ".flac", ".ogg",
                                                                  ".oga", ".opus", ".mp3"};
  const std::string extension = lower(path.extension().string());
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace bittern::audio
