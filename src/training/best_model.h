// The model of a training's best epoch.
#pragma once

#include <filesystem>
#include <string>

#include "core/status.h"
#include "features/log_mel_spec.h"
#include "training/epoch_report.h"
#include "training/modules.h"
#include "training/recipe.h"
#include "training/training_data.h"

namespace bittern::training {

// Where a model comes from, as it will say itself.
struct ModelOrigin {
  const Recipe& recipe;
  const TrainingData& data;
  const EpochReport& report;  // of the epoch that the network is of
  const std::string& license;
};

// Exports the network as it is. Atomic.
Status save_best_model(const TrainableNetwork& network, const features::LogMelSpec& front_end,
                       const ModelOrigin& origin, const std::filesystem::path& path);

}  // namespace bittern::training
