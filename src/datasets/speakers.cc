#include "datasets/speakers.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "audio/audio.h"
#include "core/text.h"
#include "datasets/listing.h"

namespace bittern::datasets {
namespace {

bool all_hex(std::string_view text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// The name without ".flac", ".wav.flac" and the like.
std::string bare_name(const std::filesystem::path& path) {
  std::filesystem::path name = path.filename();
  while (audio::has_audio_extension(name)) name = name.stem();
  return name.string();
}

// "abc" of "abc<separator>12"; empty where the name is not of that form.
std::string_view before_number(std::string_view name, std::string_view separator) {
  const std::size_t at = name.rfind(separator);
  if (at == std::string_view::npos || !is_digits(name.substr(at + separator.size()))) return {};
  return name.substr(0, at);
}

std::string numbered_speaker(const Clip& clip, const std::vector<std::string>& labels) {
  const std::string name = bare_name(clip.path);
  std::string_view rest = name;
  const std::string prefix = labels[static_cast<std::size_t>(clip.label)] + "_";
  if (rest.starts_with(prefix)) rest.remove_prefix(prefix.size());
  return std::string(before_number(rest, "_"));
}

}  // namespace

std::string speaker_in_name(const std::filesystem::path& path) {
  const std::string name = bare_name(path);
  constexpr std::size_t kHexDigits = 8;
  if (const std::string_view before = before_number(name, "_nohash_"); before.size() >= kHexDigits) {
    const std::string_view hex = before.substr(before.size() - kHexDigits);
    const std::string_view word = before.substr(0, before.size() - kHexDigits);
    if (all_hex(hex) && (word.empty() || word.ends_with('_'))) return std::string(hex);
  }
  return std::string(before_number(name, "_NO_"));
}

void find_speakers(std::vector<Clip>& clips, const std::vector<std::string>& labels) {
  std::set<std::string> lower_labels;
  for (const std::string& label : labels) lower_labels.insert(lower_case(label));
  std::vector<Clip*> unknown;
  for (Clip& clip : clips) {
    clip.speaker = speaker_in_name(clip.path);
    if (clip.speaker.empty()) unknown.push_back(&clip);
  }
  std::vector<std::string> guesses;
  for (const Clip* clip : unknown) {
    std::string guess = numbered_speaker(*clip, labels);
    if (guess.empty() || lower_labels.contains(lower_case(guess))) return;
    guesses.push_back(std::move(guess));
  }
  constexpr std::size_t kFewest = 3;
  if (std::set<std::string>(guesses.begin(), guesses.end()).size() < kFewest) return;
  for (std::size_t i = 0; i < unknown.size(); ++i) unknown[i]->speaker = std::move(guesses[i]);
}

}  // namespace bittern::datasets
