// Labels while a data set is being put together.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace bittern::datasets {

// Numbers labels as they come; finish() sorts them.
class LabelList {
 public:
  int index(const std::string& label);
  const std::vector<std::string>& names() const { return names_; }

 private:
  std::vector<std::string> names_;
  std::map<std::string, int> indices_;
};

// The labels that a task such as "yes,no" asks for; nothing for an empty task, which asks for all. An error
// for an empty name and for fewer than two.
Expected<std::optional<std::set<std::string>>> labels_of_task(std::string_view task);

}  // namespace bittern::datasets
