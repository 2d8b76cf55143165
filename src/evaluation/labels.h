// A data set's labels and a model's, matched by name.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace bittern::evaluation {

// "a,b,c" as a mask over `labels`: [labels] of 0 or 1. An empty list gives an empty mask (no restriction).
// kNotFound names the unknown label and the known ones.
Expected<std::vector<std::uint8_t>> parse_only(std::string_view list, std::span<const std::string> labels);

// For each label of the data its index among the model's. Labels that `only` (a mask over the model's labels;
// empty: no restriction) leaves out become -1, and so do labels that the model lacks, which is fine under
// `only` and kInvalidArgument otherwise.
Expected<std::vector<int>> match_labels(std::span<const std::string> data, std::span<const std::string> model,
                                        std::span<const std::uint8_t> only);

}  // namespace bittern::evaluation
