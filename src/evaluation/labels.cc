#include "evaluation/labels.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace bittern::evaluation {
namespace {

int find(std::span<const std::string> labels, std::string_view label) {
  const auto place = std::find(labels.begin(), labels.end(), label);
  return place == labels.end() ? -1 : static_cast<int>(place - labels.begin());
}

// Long lists are cut: an error is one line.
std::string listed(std::span<const std::string> labels) {
  constexpr std::size_t kMost = 40;
  const auto shown = labels.first(std::min(labels.size(), kMost));
  const std::string text = fmt::format("{}", fmt::join(shown, ", "));
  return shown.size() == labels.size() ? text : fmt::format("{}, ... ({} in all)", text, labels.size());
}

}  // namespace

Expected<std::vector<std::uint8_t>> parse_only(std::string_view list, std::span<const std::string> labels) {
  std::vector<std::uint8_t> mask;
  if (list.empty()) return mask;
  mask.resize(labels.size());
  while (true) {
    const std::size_t comma = list.find(',');
    const std::string_view label = list.substr(0, comma);
    const int index = find(labels, label);
    if (index < 0)
      return not_found(fmt::format("the model has no label '{}'; it has: {}", label, listed(labels)));
    mask[static_cast<std::size_t>(index)] = 1;
    if (comma == std::string_view::npos) return mask;
    list.remove_prefix(comma + 1);
  }
}

Expected<std::vector<int>> match_labels(std::span<const std::string> data, std::span<const std::string> model,
                                        std::span<const std::uint8_t> only) {
  std::vector<int> matched;
  std::vector<std::string> missing;
  matched.reserve(data.size());
  for (const std::string& label : data) {
    int index = find(model, label);
    if (index < 0) missing.push_back(label);
    if (index >= 0 && !only.empty() && only[static_cast<std::size_t>(index)] == 0) index = -1;
    matched.push_back(index);
  }
  if (!missing.empty() && only.empty()) {
    return invalid_argument(fmt::format("the data has labels that the model lacks: {}; the model has: {}",
                                        listed(missing), listed(model)));
  }
  return matched;
}

}  // namespace bittern::evaluation
