#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "audio/audio.h"
#include "datasets/dataset.h"
#include "datasets/listing.h"

namespace bittern::datasets {
namespace {

// Keeps the last file: pieces of one long recording follow each other.
class Reader {
 public:
  explicit Reader(int sample_rate) : sample_rate_(sample_rate) {}

  Expected<std::vector<float>> read(const Clip& clip) {
    if (clip.path.empty()) return std::vector<float>(samples_in(clip.seconds));
    if (clip.seconds <= 0) return audio::decode(clip.path, {.sample_rate = sample_rate_});
    if (clip.path != path_) {
      BITTERN_ASSIGN_OR_RETURN(samples_, audio::decode(clip.path, {.sample_rate = sample_rate_}));
      path_ = clip.path;
    }
    const std::size_t begin = samples_in(clip.offset_seconds);
    const std::size_t count = samples_in(clip.seconds);
    if (begin > samples_.size() || count > samples_.size() - begin)
      return corrupt(
          fmt::format("{}: ends before {:.3f} s", clip.path.string(), clip.offset_seconds + clip.seconds));
    const auto first = samples_.begin() + static_cast<std::ptrdiff_t>(begin);
    return std::vector<float>(first, first + static_cast<std::ptrdiff_t>(count));
  }

 private:
  std::size_t samples_in(double seconds) const {
    return static_cast<std::size_t>(std::llround(seconds * sample_rate_));
  }

  int sample_rate_;
  std::filesystem::path path_;
  std::vector<float> samples_;
};

}  // namespace

std::string clip_name(const Clip& clip, const std::filesystem::path& root) {
  if (clip.path.empty()) return "(silence)";
  std::string name = relative_name(clip.path, root);
  if (clip.seconds > 0) name += fmt::format("@{:.3f}s", clip.offset_seconds);
  return name;
}

Expected<std::vector<float>> read(const Clip& clip, int sample_rate) {
  return Reader(sample_rate).read(clip);
}

Expected<LoadedClips> load(const Dataset& dataset, Split split, int sample_rate, const Progress& progress,
                           const Accept& accept) {
  const std::vector<const Clip*> clips = dataset.of(split);
  if (clips.empty()) return not_found(fmt::format("{}: no {} clips", dataset.root.string(), name(split)));
  LoadedClips loaded;
  Reader reader(sample_rate);
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const Clip& clip = *clips[i];
    Expected<std::vector<float>> samples = reader.read(clip);
    if (samples.ok() && accept) {
      if (const Status accepted = accept(*samples); !accepted.ok())
        samples =
            Error{accepted.error().code, fmt::format("{}: {}", clip.path.string(), accepted.error().message)};
    }
    if (samples.ok()) {
      loaded.samples.push_back(std::move(samples).value());
      loaded.labels.push_back(clip.label);
      loaded.names.push_back(clip_name(clip, dataset.root));
      loaded.speakers.push_back(clip.speaker);
    } else {
      loaded.skipped.push_back(samples.error().message);
      // No need to read on once the end is certain.
      if (loaded.skipped.size() * 20 > clips.size())
        return corrupt(
            fmt::format("{}: {} of the first {} {} clips (of {}) are unreadable, more than 5 % of all; "
                        "the first: {}",
                        dataset.root.string(), loaded.skipped.size(), i + 1, name(split), clips.size(),
                        loaded.skipped.front()));
    }
    if (progress && !progress(i + 1, clips.size()))
      return Error{ErrorCode::kCancelled, "interrupted while reading recordings"};
  }
  return loaded;
}

}  // namespace bittern::datasets
