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

struct TrainingData {
  std::string name;
  std::string digest;
  std::vector<std::string> labels;
  ClipStore train;
  ClipStore validation;
  std::vector<std::vector<float>> noise;  // may be empty
  std::vector<std::string> notices;       // warnings and unreadable clips, one line each
};

// noise: a folder of recordings; empty: what the data set brings itself. `progress` may be null.
// Errors: those of datasets::scan and load; fewer than two labels; no clips to train on or to validate with.
Expected<TrainingData> load_training_data(const std::filesystem::path& root,
                                          const datasets::ScanOptions& scan,
                                          const std::filesystem::path& noise, int sample_rate,
                                          const datasets::Progress& progress);

}  // namespace bittern::training
