// Things of one kind that a layout does not take: a warning says how many there are and names the first.
#pragma once

#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "core/text.h"
#include "datasets/dataset.h"
#include "datasets/listing.h"

namespace bittern::datasets {

class LeftOut {
 public:
  // One of them is `one`, `where` follows: "archive", "without recordings".
  LeftOut(std::string one, std::string where) : one_(std::move(one)), where_(std::move(where)) {}

  void add(const std::string& name) {
    if (count_++ == 0) first_ = name;
  }
  void add(const std::vector<std::filesystem::path>& paths, const std::filesystem::path& root) {
    for (const std::filesystem::path& path : paths) add(relative_name(path, root));
  }
  void warn(Dataset& dataset) const {
    if (count_ == 0) return;
    dataset.warnings.push_back(
        fmt::format("left out: {} {} (first: {})", counted(count_, one_), where_, first_));
  }

 private:
  std::string one_;
  std::string where_;
  std::size_t count_ = 0;
  std::string first_;
};

}  // namespace bittern::datasets
