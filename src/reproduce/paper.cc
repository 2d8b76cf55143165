#include "reproduce/paper.h"

namespace bittern::reproduce {
namespace {

constexpr PaperCost kCosts[] = {
    {"QuickNet", 12.7, 2.23, 48.54, {2.62, 2.73, 2.97, 3.24, 3.51}},
    {"BiRealNet", 11.2, 2.04, 42.63, {3.24, 3.31, 3.56, 3.91, 4.17}},
    {"BinaryDenseNet",
     4.56,
     1.85,
     42.63,
     {6.71, 6.14, 6.19, 6.24, 6.31},
     true,
     true,
     "BinaryDenseNet's 42.63 MiB repeat BiRealNet's, where 4.56 M parameters make 17.4 MiB, and its exit 1 "
     "is "
     "slower than its exit 2."},
    {"MeliusNet",
     6.44,
     1.94,
     24.56,
     {3.24, 6.58, 7.08, 7.37, 7.59},
     false,
     true,
     "MeliusNet's exit 1 repeats BiRealNet's, at half the time of its own exit 2."},
};

struct Finding {
  int figure;
  std::string_view task;  // empty: of all
  std::string_view text;
};
constexpr Finding kFindings[] = {
    {2, "", "thresholds from 0.6 to 0.8 serve best"},
    {2, "Speech Commands", "all four networks are right in about 91 % at a threshold of 0.5"},
    {2, "VoxForge", "MeliusNet keeps about 90 % at 0.5, while BiRealNet is the lowest and falls fastest"},
    {3, "", "a lower threshold sends clips to later exits (it shows MeliusNet)"},
    {3, "Speech Commands", "most clips leave at the first exits"},
    {3, "VoxForge", "clips leave at an early exit or at the last, and few at the fourth"},
    {4, "",
     "joint exits are about as accurate as networks trained alone, and the best exit is often not the last"},
    {5, "VoxForge", "English leaves early, German and Russian late"},
};

struct Row {
  std::string_view task;
  std::string_view network;
  PaperAccuracy accuracy;
};
constexpr Row kRows[] = {
    {"MSWC Micro-EN", "QuickNet", {{56.8, 73.4, 74.8, 80.7, 78.3}, {61.2, 76.1, 78.7, 81.0, 80.7}}},
    {"MSWC Micro-EN", "BiRealNet", {{59.1, 74.6, 77.2, 79.7, 80.2}, {58.0, 72.9, 77.7, 80.4, 80.3}}},
    {"MSWC Micro-EN", "BinaryDenseNet", {{78.9, 83.8, 83.8, 83.8, 81.7}, {73.1, 79.1, 80.5, 81.1, 80.5}}},
    {"MSWC Micro-EN", "MeliusNet", {{18.0, 84.3, 87.9, 87.5, 85.9}, {41.2, 81.7, 86.3, 87.4, 86.3}}},
    {"Speech Commands", "QuickNet", {{65.7, 92.8, 95.2, 94.6, 94.4}, {86.3, 93.3, 94.7, 95.0, 95.1}}},
    {"Speech Commands", "BiRealNet", {{90.7, 91.9, 94.7, 92.9, 91.7}, {89.5, 93.1, 94.2, 94.0, 93.9}}},
    {"Speech Commands", "BinaryDenseNet", {{65.6, 93.1, 94.4, 91.1, 93.6}, {93.2, 95.2, 95.9, 96.0, 95.9}}},
    {"Speech Commands", "MeliusNet", {{81.9, 94.7, 95.6, 95.2, 94.9}, {81.5, 93.8, 93.4, 94.9, 94.9}}},
    {"VoxForge", "QuickNet", {{75.7, 88.8, 86.2, 81.3, 70.9}, {75.8, 83.0, 84.3, 84.9, 79.0}}},
    {"VoxForge", "BiRealNet", {{72.3, 82.9, 87.3, 81.6, 76.2}, {70.8, 73.9, 80.1, 76.6, 78.1}}},
    {"VoxForge", "BinaryDenseNet", {{87.6, 86.3, 87.8, 85.2, 82.2}, {83.5, 88.6, 89.9, 87.3, 85.0}}},
    {"VoxForge", "MeliusNet", {{70.5, 89.4, 91.0, 77.6, 84.5}, {74.0, 87.3, 90.8, 88.6, 88.2}}},
};

}  // namespace

std::optional<PaperCost> paper_cost(std::string_view network) {
  for (const PaperCost& cost : kCosts)
    if (cost.network == network) return cost;
  return std::nullopt;
}

std::optional<PaperAccuracy> paper_accuracy(std::string_view task, std::string_view network) {
  for (const Row& row : kRows)
    if (row.task == task && row.network == network) return row.accuracy;
  return std::nullopt;
}

std::vector<std::string_view> paper_findings(int figure, std::string_view task) {
  std::vector<std::string_view> found;
  for (const Finding& finding : kFindings)
    if (finding.figure == figure && (finding.task.empty() || finding.task == task))
      found.push_back(finding.text);
  return found;
}

}  // namespace bittern::reproduce
