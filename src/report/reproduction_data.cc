#include "report/reproduction_data.h"

#include <algorithm>
#include <cmath>

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

Mean mean_of(const std::vector<const Json*>& accuracies) {
  Mean mean;
  mean.seeds = accuracies.size();
  const auto count = static_cast<double>(accuracies.size());
  for (const Json* accuracy : accuracies) {
    mean.value += (*accuracy)["value"].get<double>() / count;
    mean.low += (*accuracy)["low"].get<double>() / count;
    mean.high += (*accuracy)["high"].get<double>() / count;
  }
  if (accuracies.size() < 2) return mean;
  double squares = 0;
  for (const Json* accuracy : accuracies)
    squares += std::pow((*accuracy)["value"].get<double>() - mean.value, 2);
  mean.deviation = std::sqrt(squares / (count - 1));
  return mean;
}

}  // namespace

std::vector<const Json*> ReproductionData::runs(const Json& task, const Json& network,
                                                int single_exit) const {
  std::vector<const Json*> found;
  for (const Json& run : results_["runs"]) {
    if (run["task"] == task["name"] && run["architecture"] == network["architecture"] &&
        run["single_exit"] == single_exit) {
      found.push_back(&run);
    }
  }
  return found;
}

Mean ReproductionData::accuracy(const Json& task, const Json& network, int exit, bool alone) const {
  std::vector<const Json*> accuracies;
  for (const Json* run : runs(task, network, alone ? exit : 0)) {
    for (const Json& row : (*run)["exits"])
      if (row["exit"] == exit) accuracies.push_back(&row["accuracy"]);
  }
  return mean_of(accuracies);
}

std::map<double, AtThreshold> ReproductionData::thresholds(const Json& task, const Json& network) const {
  std::map<double, std::vector<const Json*>> rules;
  for (const Json* run : runs(task, network, 0))
    for (const Json& rule : (*run)["rules"]) rules[rule["threshold"].get<double>()].push_back(&rule);
  std::map<double, AtThreshold> result;
  for (const auto& [threshold, of_seeds] : rules) {
    AtThreshold& at = result[threshold];
    std::vector<const Json*> accuracies;
    for (const Json* rule : of_seeds) {
      accuracies.push_back(&(*rule)["accuracy"]);
      at.average_exit += (*rule)["average_exit"].get<double>() / static_cast<double>(of_seeds.size());
    }
    at.accuracy = mean_of(accuracies);
  }
  return result;
}

double ReproductionData::most_frequent(const Json& task) const {
  for (const Json& run : results_["runs"]) {
    if (run["task"] != task["name"] || run["single_exit"] != 0) continue;
    std::map<std::string, double> clips;
    double most = 0;
    for (const Json& clip : run["clips"]) most = std::max(most, ++clips[clip["truth"].get<std::string>()]);
    return run["clips"].empty() ? 0 : most / static_cast<double>(run["clips"].size());
  }
  return 0;
}

}  // namespace bittern::report
