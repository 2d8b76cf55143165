// What a training reads: clips of the training and validation splits, and background noise.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/status.h"
#include "datasets/dataset.h"
#include "training/clip_store.h"

namespace bittern::training {

// Where it lies; nothing is decoded yet.
struct TrainingSource {
  datasets::Dataset dataset;
  std::vector<std::filesystem::path> noise;  // recordings; may be empty
};

// noise: a folder of recordings; empty: what the data set brings itself.
// Errors: those of datasets::scan and noise_files; fewer than two labels; no clips to train on or to validate
// with.
Expected<TrainingSource> find_training_data(const std::filesystem::path& root,
                                            const datasets::ScanOptions& scan,
                                            const std::filesystem::path& noise);

struct TrainingData {
  std::string name;
  std::string digest;  // the data set's own, for the model's provenance
  std::vector<std::string> labels;
  ClipStore train;
  ClipStore validation;
  std::vector<std::vector<float>> noise;  // may be empty
  int skipped = 0;                        // unreadable clips and noise recordings
  std::vector<std::string> notices;       // warnings and unreadable recordings, one line each
  // Of what was really read, sample by sample: a run that goes on must hear the same.
  std::string clips_digest;
  std::string noise_digest;
};

// Unreadable recordings are skipped, listed and counted. `progress` may be null.
// Errors: those of datasets::load; no readable noise where there are noise recordings.
Expected<TrainingData> load_training_data(const TrainingSource& source, int sample_rate,
                                          const datasets::Progress& progress);

}  // namespace bittern::training
