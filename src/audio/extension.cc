#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "audio/audio.h"
#include "core/text.h"

namespace bittern::audio {
bool has_audio_extension(const std::filesystem::path& path) {
  static constexpr std::array<std::string_view, 7> kExtensions = {".wav", ".wave", ".flac", ".ogg",
                                                                  ".oga", ".opus", ".mp3"};
  const std::string extension = lower_case(path.extension().string());
  return std::find(kExtensions.begin(), kExtensions.end(), extension) != kExtensions.end();
}

}  // namespace bittern::audio
