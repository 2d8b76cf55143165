#include "cli/onnx_metadata.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/model_report.h"
#include "convert/onnx_export.h"
#include "evaluation/report.h"
#include "graph/counts.h"
#include "json/text.h"

namespace bittern::cli {
namespace {

using Json = nlohmann::ordered_json;

Json exits_json(const model::Model& model, int only) {
  Json json = Json::array();
  for (const graph::ExitCounts& exit : graph::count(model.network).exits) {
    if (only != 0 && exit.exit != only) continue;
    json.push_back(
        {{"exit", exit.exit},
         {"output", convert::onnx_output(exit.exit)},
         {"layer", exit.layer},
         {"macs_share", exit.share},
         {"temperature", json::shortest(model.temperatures[static_cast<std::size_t>(exit.exit) - 1])}});
  }
  return json;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> onnx_metadata(const model::Model& model, int exit) {
  std::vector<std::pair<std::string, std::string>> all{
      {"labels", json::text(model.labels)},
      {"sample_rate_hz", fmt::format("{}", model.front_end.sample_rate)},
      {"front_end", json::text(front_end_json(model.front_end))},
      {"exits", json::text(exits_json(model, exit))},
      {"operating_points", json::text(operating_points_json(model.operating_points))},
      {"architecture", model.network.architecture()},
      {"data_name", model.provenance.data_name},
      {"data_digest", model.provenance.data_digest},
      {"license", model.provenance.license},
  };
  std::erase_if(all, [](const auto& entry) { return entry.second.empty(); });
  return all;
}

}  // namespace bittern::cli
