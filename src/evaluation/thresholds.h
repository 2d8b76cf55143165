// Entropy thresholds, one per exit: a path from never leaving early to always leaving at exit 1, and how far
// along it a promise can be kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "evaluation/metrics.h"
#include "evaluation/risk.h"

namespace bittern::evaluation {

// Thresholds of the rule "entropy"; the last exit's is 0 and does not matter.
using Thresholds = std::vector<float>;

// A threshold, to three decimals, under which all leave: entropy is at most the logarithm of the classes; of
// many classes, summed in floats, up to a thousandth more.
float all_leave(std::size_t classes);

// From all zeros (no clip leaves early) to all clips leaving at exit 1. Each step raises one exit's threshold
// to the next level at which it saves anything to speak of; that exit's which saves most work for the
// accuracy that it loses on `clips` (indices).
// costs: [clips, exits], rising from exit to exit.
std::vector<Thresholds> threshold_path(const Answers& answers, const Truth& truth,
                                       std::span<const double> costs, std::span<const std::size_t> clips);

// What leaving early by `thresholds` costs one clip: 1 where the last exit is right and the answer wrong, -1
// where it is the other way round, else 0.
double accuracy_loss(std::span<const exits::Answer> answers, int label, const Thresholds& thresholds);

// What is promised of the mean over clips.
enum class Promised : std::uint8_t {
  kAccuracyLoss,  // accuracy_loss()
  kCost,          // of the exit taken
};

struct Halves {
  std::vector<std::size_t> tuning;   // indices of clips
  std::vector<std::size_t> testing;  // none of a group that has one in `tuning`
};
// Whole groups in random order, each to the half that has fewer clips.
Halves split_in_halves(std::span<const std::uint32_t> groups, std::uint64_t seed);

struct Choice {
  std::optional<Thresholds> thresholds;  // none: not even the first could be shown to keep the promise
  double mean = 0;                       // of what is promised, over the units that test
  // Of the first that could not be shown: its mean over the units (clips or speakers) that test, how many
  // these are, and about how many in both halves would show it were they all like these; 0: no number would.
  double failed_mean = 0;
  std::size_t failed_units = 0;
  std::size_t needed_units = 0;
};

struct ChoiceOptions {
  Promised promised = Promised::kAccuracyLoss;
  Claim claim;
  // The unit that is drawn independently: a clip, or all clips of a group, which count as their mean. Of
  // clips in groups the evidence is divided by their design effect (Kish 1965), 1 + (size - 1) likeness: the
  // likeness of a group's clips is the larger of what `tuning` shows at these thresholds and at all of the
  // path together, 1 where nothing tells; the size of groups is that of `testing`.
  bool by_group = false;
};

// Thresholds of the path, in a fixed order (for kAccuracyLoss from the first that leaves at all, for kCost
// from the cheapest), each tested with the clips of `testing` until the first that fails; the last that
// passed. Because the order is fixed and stops, no test needs a stricter level than the promise's
// (Angelopoulos et al. 2021, Learn then Test).
Choice choose_thresholds(std::span<const Thresholds> path, const Answers& answers, const Truth& truth,
                         std::span<const double> costs, const Halves& halves, const ChoiceOptions& options);

}  // namespace bittern::evaluation
