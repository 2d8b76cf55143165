#include "training/best_model.h"

#include <cstddef>
#include <nlohmann/json.hpp>
#include <utility>

#include "evaluation/report.h"
#include "model/file.h"
#include "training/exporter.h"

namespace bittern::training {

Status save_best_model(const TrainableNetwork& network, const features::LogMelSpec& front_end,
                       const ModelOrigin& origin, const std::filesystem::path& path) {
  const Recipe& recipe = origin.recipe;
  const TrainingData& data = origin.data;
  model::Provenance provenance;
  provenance.architecture = recipe.architecture;
  provenance.placement = recipe.placement;
  provenance.data_name = data.name;
  provenance.data_digest = data.digest;
  provenance.recipe = to_json(recipe).dump();
  nlohmann::ordered_json metrics = {
      {"split", "validation"}, {"epoch", origin.report.epoch}, {"exits", nlohmann::ordered_json::array()}};
  metrics["read"] = {{"train_clips", data.train.size()},
                     {"validation_clips", data.validation.size()},
                     {"noise_recordings", data.noise.size()},
                     {"skipped", data.skipped}};
  for (std::size_t i = 0; i < origin.report.accuracy.size(); ++i)
    metrics["exits"].push_back(
        {{"exit", i + 1}, {"accuracy", evaluation::to_json(origin.report.accuracy[i])}});
  provenance.metrics = metrics.dump();
  provenance.tool_version = BITTERN_VERSION;
  provenance.license = origin.license;
  provenance.seed = recipe.seed;
  BITTERN_ASSIGN_OR_RETURN(provenance.date, source_date());
  BITTERN_ASSIGN_OR_RETURN(const auto model,
                           export_model(network, front_end, data.labels, std::move(provenance)));
  return model::save(*model, path);
}

}  // namespace bittern::training
