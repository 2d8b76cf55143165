// What the paper reports: Aaqib Saeed, "Binary Early-Exit Network for Adaptive Inference on Low-Resource
// Devices", Interspeech 2022 (arXiv 2206.09029), tables 1 and 2.
#pragma once

#include <array>
#include <optional>
#include <string_view>

namespace bittern::reproduce {

inline constexpr int kPaperExits = 5;

struct PaperCost {
  std::string_view network;
  double parameters_millions;
  double packed_mib;
  double float32_mib;
  std::array<double, kPaperExits> time_ms;  // on a Snapdragon 855, the front end inside
};
std::optional<PaperCost> paper_cost(std::string_view network);

struct PaperAccuracy {
  std::array<double, kPaperExits> alone;    // per cent, each exit's network trained alone
  std::array<double, kPaperExits> jointly;  // per cent
};
std::optional<PaperAccuracy> paper_accuracy(std::string_view task, std::string_view network);

}  // namespace bittern::reproduce
