#include "cli/test_recordings.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>
#include <vector>

#include "audio/audio.h"

namespace bittern::cli {
namespace {

namespace fs = std::filesystem;

// Files that browsers play as they are.
constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kPlayed{{{".flac", "audio/flac"},
                                                                                {".mp3", "audio/mpeg"},
                                                                                {".ogg", "audio/ogg"},
                                                                                {".opus", "audio/ogg"},
                                                                                {".wav", "audio/wav"}}};
constexpr int kSampleRate = 16000;  // of what has to be written anew

std::string bytes_of(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

}  // namespace

Sound TestRecordings::of(const std::string& task, const std::string& name) {
  for (const reproduce::Task& known : experiment_.tasks) {
    if (known.name != task) continue;
    const Clips& clips = clips_of(known);
    const auto found = clips.find(name);
    if (found == clips.end()) return {};
    const datasets::Clip& clip = found->second;
    const bool whole = !clip.path.empty() && clip.seconds <= 0;
    for (const auto& [ending, type] : kPlayed)
      if (whole && clip.path.extension() == ending) return {bytes_of(clip.path), std::string(type)};
    // A part of a recording, silence that no file holds, or what browsers do not play.
    const Expected<std::vector<float>> samples = datasets::read(clip, kSampleRate);
    if (!samples.ok()) return {};
    const Expected<std::string> wav = audio::wav_bytes(name, *samples, kSampleRate);
    return wav.ok() ? Sound(*wav, "audio/wav") : Sound();
  }
  return {};
}

const TestRecordings::Clips& TestRecordings::clips_of(const reproduce::Task& task) {
  const auto known = clips_.find(task.name);
  if (known != clips_.end()) return known->second;
  Clips& clips = clips_[task.name];
  const Expected<datasets::Dataset> dataset = datasets::scan(task.data, experiment_.scan);
  if (!dataset.ok()) return clips;
  for (const datasets::Clip* clip : dataset->of(datasets::Split::kTest))
    clips.emplace(datasets::clip_name(*clip, dataset->root), *clip);
  return clips;
}

}  // namespace bittern::cli
