#include "training/training_data.h"

#include <fmt/format.h>

#include <utility>

#include "audio/audio.h"

namespace bittern::training {
namespace {

Expected<ClipStore> load_split(const datasets::Dataset& dataset, datasets::Split split, int sample_rate,
                               const datasets::Progress& progress, std::vector<std::string>& notices) {
  BITTERN_ASSIGN_OR_RETURN(datasets::LoadedClips clips,
                           datasets::load(dataset, split, sample_rate, progress));
  for (const std::string& line : clips.skipped) notices.push_back("skipped: " + line);
  return ClipStore(std::move(clips));
}

}  // namespace

Expected<TrainingData> load_training_data(const std::filesystem::path& root,
                                          const datasets::ScanOptions& scan,
                                          const std::filesystem::path& noise, int sample_rate,
                                          const datasets::Progress& progress) {
  BITTERN_ASSIGN_OR_RETURN(const datasets::Dataset dataset, datasets::scan(root, scan));
  if (dataset.labels.size() < 2) {
    return invalid_argument(fmt::format("{}: has {} label; a classifier needs at least two", root.string(),
                                        dataset.labels.size()));
  }
  for (const datasets::Split split : {datasets::Split::kTrain, datasets::Split::kValidation}) {
    if (!dataset.of(split).empty()) continue;
    return invalid_argument(
        fmt::format("{}: no {} clips; put some into {}/<label>/ (speakers of their own), or give a folder "
                    "without splits, "
                    "which is then split by speaker",
                    root.string(), datasets::name(split), datasets::name(split)));
  }

  TrainingData data;
  data.name = dataset.name;
  data.digest = dataset.digest();
  data.labels = dataset.labels;
  data.notices = dataset.warnings;
  BITTERN_ASSIGN_OR_RETURN(data.train,
                           load_split(dataset, datasets::Split::kTrain, sample_rate, progress, data.notices));
  BITTERN_ASSIGN_OR_RETURN(data.validation, load_split(dataset, datasets::Split::kValidation, sample_rate,
                                                       progress, data.notices));

  std::vector<std::filesystem::path> recordings = dataset.noise;
  if (!noise.empty()) {
    BITTERN_ASSIGN_OR_RETURN(recordings, datasets::noise_files(noise));
  }
  for (const std::filesystem::path& path : recordings) {
    audio::DecodeOptions options;
    options.sample_rate = sample_rate;
    BITTERN_ASSIGN_OR_RETURN(std::vector<float> samples, audio::decode(path, options));
    data.noise.push_back(std::move(samples));
  }
  return data;
}

}  // namespace bittern::training
