// make_clips FOLDER OUT: decodes 20 recordings of FOLDER, spread evenly over them sorted by path, for
// golden_logits.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "audio/audio.h"
#include "core/atomic_file.h"
#include "golden/clips.h"

int main(int argc, char** argv) {
  namespace fs = std::filesystem;
  using namespace bittern;
  if (argc != 3) return 2;
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(argv[1]))
    if (entry.path().extension() == ".flac") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  if (files.size() < golden::kClips) {
    std::fprintf(stderr, "%s: has %zu recordings, %zu are needed\n", argv[1], files.size(), golden::kClips);
    return 1;
  }
  std::string bytes;
  // Spread over the folder, so that every word is heard.
  for (std::size_t i = 0; i < golden::kClips; ++i) {
    const fs::path& file = files[i * files.size() / golden::kClips];
    auto samples = audio::decode(file, {.sample_rate = 16000});
    if (!samples.ok()) {
      std::fprintf(stderr, "%s\n", samples.error().message.c_str());
      return 1;
    }
    samples->resize(golden::kSamples);
    for (const float sample : *samples) {
      const auto value = static_cast<std::int16_t>(std::lround(sample * 32768.0F));
      bytes.push_back(static_cast<char>(value & 0xFF));
      bytes.push_back(static_cast<char>((value >> 8) & 0xFF));
    }
  }
  const Status written = write_file(argv[2], bytes);
  if (!written.ok()) std::fprintf(stderr, "%s\n", written.error().message.c_str());
  return written.ok() ? 0 : 1;
}
