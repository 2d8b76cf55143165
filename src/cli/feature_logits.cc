#include "cli/feature_logits.h"

#include <fmt/format.h>

#include <cstddef>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/features_file.h"
#include "cli/interrupt.h"
#include "cli/output.h"
#include "evaluation/report.h"
#include "json/text.h"
#include "runtime/session.h"

namespace bittern::cli {

Status print_feature_logits(const std::shared_ptr<const model::Model>& model, const std::string& features) {
  BITTERN_ASSIGN_OR_RETURN(FeaturesFile file, FeaturesFile::open(features, model->front_end.mel_bins));
  BITTERN_ASSIGN_OR_RETURN(runtime::Session session, runtime::Session::create(model));
  const auto classes = static_cast<std::size_t>(model->network.classes());
  std::vector<float> clip;
  std::vector<float> logits(static_cast<std::size_t>(model->network.exit_count()) * classes);
  for (std::size_t i = 0; i < file.clips(); ++i) {
    BITTERN_RETURN_IF_ERROR(check_interrupt());
    BITTERN_RETURN_IF_ERROR(file.next(clip));
    if (const Status done = session.logits_from_features(clip, logits); !done.ok())
      return Error{done.error().code, fmt::format("{}: clip {}: {}", features, i, done.error().message)};
    nlohmann::ordered_json exits = nlohmann::ordered_json::array();
    for (std::size_t at = 0; at < logits.size(); at += classes) {
      std::vector<double> row;
      for (std::size_t j = at; j < at + classes; ++j) row.push_back(json::shortest(logits[j]));
      exits.push_back(std::move(row));
    }
    const nlohmann::ordered_json line{{"clip", i}, {"logits", std::move(exits)}};
    BITTERN_RETURN_IF_ERROR(write_out(json::text(line) + "\n"));
  }
  return {};
}

}  // namespace bittern::cli
