#include "datasets/labels.h"

#include <fmt/format.h>

namespace bittern::datasets {

int LabelList::index(const std::string& label) {
  const auto [place, is_new] = indices_.emplace(label, static_cast<int>(names_.size()));
  if (is_new) names_.push_back(label);
  return place->second;
}

Expected<std::optional<std::set<std::string>>> labels_of_task(std::string_view task) {
  if (task.empty()) return std::optional<std::set<std::string>>();
  std::set<std::string> labels;
  while (true) {
    const std::size_t comma = task.find(',');
    if (task.substr(0, comma).empty())
      return invalid_argument("a task is a list such as yes,no: a name in it is empty");
    labels.emplace(task.substr(0, comma));
    if (comma == std::string_view::npos) break;
    task.remove_prefix(comma + 1);
  }
  if (labels.size() < 2) return invalid_argument("a task needs two labels at least, such as yes,no");
  return std::optional(std::move(labels));
}

}  // namespace bittern::datasets
