#include "training/training_data.h"

#include <fmt/format.h>

#include <cstddef>
#include <span>
#include <utility>

#include "audio/audio.h"
#include "core/checksum.h"

namespace bittern::training {
namespace {

std::string text(const Digest& digest) { return fmt::format("{:016x}", digest.value()); }

Status load_noise(const std::vector<std::filesystem::path>& recordings, int sample_rate, TrainingData& data) {
  std::string first;
  for (const std::filesystem::path& path : recordings) {
    Expected<std::vector<float>> samples = audio::decode(path, {.sample_rate = sample_rate});
    if (samples.ok()) {
      data.noise.push_back(std::move(samples).value());
      continue;
    }
    if (first.empty()) first = samples.error().message;
    data.notices.push_back("skipped: " + samples.error().message);
    ++data.skipped;
  }
  if (data.noise.empty() && !first.empty())
    return corrupt(fmt::format("no background recording can be read; the first: {}", first));
  return {};
}

}  // namespace

Expected<TrainingSource> find_training_data(const std::filesystem::path& root,
                                            const datasets::ScanOptions& scan,
                                            const std::filesystem::path& noise) {
  TrainingSource source;
  BITTERN_ASSIGN_OR_RETURN(source.dataset, datasets::scan(root, scan));
  const datasets::Dataset& dataset = source.dataset;
  if (dataset.labels.size() < 2) {
    return invalid_argument(fmt::format("{}: has {} label; a classifier needs at least two", root.string(),
                                        dataset.labels.size()));
  }
  for (const datasets::Split split : {datasets::Split::kTrain, datasets::Split::kValidation}) {
    if (!dataset.of(split).empty()) continue;
    return invalid_argument(
        fmt::format("{}: no {} clips; put some into {}/<label>/ (speakers of their own); a folder without "
                    "splits is split by speaker, and needs three or more of each label",
                    root.string(), datasets::name(split), datasets::name(split)));
  }
  source.noise = dataset.noise;
  if (!noise.empty()) {
    BITTERN_ASSIGN_OR_RETURN(source.noise, datasets::noise_files(noise));
  }
  return source;
}

Expected<TrainingData> load_training_data(const TrainingSource& source, int sample_rate,
                                          const datasets::Progress& progress) {
  const datasets::Dataset& dataset = source.dataset;
  TrainingData data;
  data.name = dataset.name;
  data.digest = dataset.digest();
  data.labels = dataset.labels;
  data.notices = dataset.warnings;
  const auto load_split = [&](datasets::Split split) -> Expected<ClipStore> {
    BITTERN_ASSIGN_OR_RETURN(datasets::LoadedClips clips,
                             datasets::load(dataset, split, sample_rate, progress));
    for (const std::string& line : clips.skipped) data.notices.push_back("skipped: " + line);
    data.skipped += static_cast<int>(clips.skipped.size());
    return ClipStore(std::move(clips));
  };
  BITTERN_ASSIGN_OR_RETURN(data.train, load_split(datasets::Split::kTrain));
  BITTERN_ASSIGN_OR_RETURN(data.validation, load_split(datasets::Split::kValidation));
  BITTERN_RETURN_IF_ERROR(load_noise(source.noise, sample_rate, data));

  Digest clips;
  for (const std::string& label : data.labels) {
    const std::size_t length = label.size();
    clips.add(std::as_bytes(std::span(&length, 1)));
    clips.add(std::as_bytes(std::span(label)));
  }
  data.train.add_to(clips);
  data.validation.add_to(clips);
  data.clips_digest = text(clips);
  Digest noise;
  for (const std::vector<float>& recording : data.noise) {
    const std::size_t samples = recording.size();
    noise.add(std::as_bytes(std::span(&samples, 1)));
    noise.add(std::as_bytes(std::span(recording)));
  }
  data.noise_digest = text(noise);
  return data;
}

}  // namespace bittern::training
