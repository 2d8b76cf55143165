// What the paper reports: Aaqib Saeed, "Binary Early-Exit Network for Adaptive Inference on Low-Resource
// Devices", Interspeech 2022 (arXiv 2206.09029): tables 1 and 2, its training, and in our words what it says
// of figures 2 to 5, whose values are not printed.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace bittern::reproduce {

inline constexpr int kPaperExits = 5;

struct PaperCost {
  std::string_view network;
  double parameters_millions;
  double packed_mib;
  double float32_mib;
  std::array<double, kPaperExits> time_ms;  // on a Snapdragon 855, the front end inside
  // Cells that cannot be right, and why, as a sentence; they stand as printed.
  bool float32_mib_doubtful = false;
  bool first_time_doubtful = false;
  std::string_view doubt = {};
};
std::optional<PaperCost> paper_cost(std::string_view network);

struct PaperAccuracy {
  std::array<double, kPaperExits> alone;    // per cent, each exit's network trained alone
  std::array<double, kPaperExits> jointly;  // per cent
};
std::optional<PaperAccuracy> paper_accuracy(std::string_view task, std::string_view network);

struct PaperTraining {
  int epochs;
  int batch;
  double learning_rate;
};
inline constexpr PaperTraining kPaperTraining{100, 128, 0.001};

// What it says of a figure: of all tasks, then of this one. Each goes on from "the paper finds that".
std::vector<std::string_view> paper_findings(int figure, std::string_view task);

}  // namespace bittern::reproduce
