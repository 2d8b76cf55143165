#include "training/epoch_report.h"

#include <cstddef>
#include <nlohmann/json.hpp>

#include "evaluation/report.h"

namespace bittern::training {

std::string metrics_line(const EpochReport& report) {
  nlohmann::ordered_json json = {{"epoch", report.epoch},
                                 {"loss", report.loss},
                                 {"exit_losses", report.exit_losses},
                                 {"exits", nlohmann::ordered_json::array()},
                                 {"learning_rate", report.learning_rate},
                                 {"samples_per_s", nullptr},
                                 {"time_s", report.time_s},
                                 {"best", report.best}};
  if (report.samples_per_s > 0) json["samples_per_s"] = report.samples_per_s;
  if (!report.learned_weights.empty()) json["exit_weights"] = report.learned_weights;
  if (report.real_kernels) json["real_kernels"] = true;
  for (std::size_t i = 0; i < report.accuracy.size(); ++i)
    json["exits"].push_back({{"exit", i + 1}, {"accuracy", evaluation::to_json(report.accuracy[i])}});
  return json.dump();
}

}  // namespace bittern::training
