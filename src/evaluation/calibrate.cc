#include "evaluation/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.h"
#include "evaluation/calibration.h"

namespace bittern::evaluation {
namespace {

// [clips, exits], in 0 to 1 of what the whole network costs.
std::vector<double> costs_of(const Collected& collected, const CalibrateOptions& options) {
  if (options.goal != Goal::kTime) return collected.shares;
  std::vector<double> row;
  double most = 0;  // measured times may fall from exit to exit
  for (const double time : options.exit_us) row.push_back(most = std::max(most, time));
  std::vector<double> costs;
  costs.reserve(collected.clips * collected.exits);
  for (std::size_t clip = 0; clip < collected.clips; ++clip)
    for (const double time : row) costs.push_back(time / most);
  return costs;
}

// The clips of `indices` alone.
struct Part {
  Collected collected;
  Truth truth;
};
Part part_of(const Collected& collected, const Truth& truth, std::span<const std::size_t> indices) {
  Part part;
  part.collected = {.clips = indices.size(),
                    .exits = collected.exits,
                    .classes = collected.classes,
                    .logits = {},
                    .shares = {}};
  for (const std::size_t clip : indices) {
    for (std::size_t exit = 0; exit < collected.exits; ++exit) {
      const auto logits = collected.logits_of(clip, exit);
      part.collected.logits.insert(part.collected.logits.end(), logits.begin(), logits.end());
    }
    const auto shares = collected.shares_of(clip);
    part.collected.shares.insert(part.collected.shares.end(), shares.begin(), shares.end());
    part.truth.labels.push_back(truth.labels[clip]);
    part.truth.groups.push_back(truth.groups[clip]);
    if (!truth.speaker_known.empty()) part.truth.speaker_known.push_back(truth.speaker_known[clip]);
  }
  return part;
}

std::string limit_text(const CalibrateOptions& options) {
  switch (options.goal) {
    case Goal::kAccuracyLoss:
      return fmt::format("accuracy at most {:g} below the last exit's", options.limit);
    case Goal::kMacs:
      return fmt::format("at most {:g} of the network's work", options.limit);
    case Goal::kTime:
      break;
  }
  return fmt::format("at most {:g} us where it was measured", options.limit);
}

Error not_shown(const Choice& choice, const Claim& claim, std::size_t units,
                const CalibrateOptions& options) {
  const char* const unit = options.by_speaker ? "speakers" : "clips";
  const std::string promise =
      fmt::format("'{}' cannot be promised with confidence {:g}", limit_text(options), options.confidence);
  if (choice.needed_units > units)
    return invalid_argument(fmt::format("{}: there are {} {}, about {} would be needed", promise, units, unit,
                                        choice.needed_units));
  if (options.goal == Goal::kAccuracyLoss)
    return invalid_argument(
        fmt::format("{}: even the strictest threshold lost {:.4f} on the {} {} of the testing half; allow a "
                    "greater loss",
                    promise, choice.failed_mean, choice.failed_units, unit));
  const double whole = options.goal == Goal::kTime ? options.limit / claim.limit : 1;
  return invalid_argument(fmt::format("{}: leaving at exit 1 always takes {:.4g} already; give more", promise,
                                      choice.failed_mean * whole));
}

// The clips whose speaker is known, alone: each of the others would count as a speaker of its own.
Expected<Calibration> calibrate_known(const Collected& collected, const Truth& truth,
                                      const CalibrateOptions& options) {
  std::vector<std::size_t> known;
  for (std::size_t clip = 0; clip < collected.clips; ++clip)
    if (truth.speaker_known[clip] != 0) known.push_back(clip);
  if (known.empty())
    return invalid_argument("of no clip the speaker is known: nothing can be promised over speakers");
  const Part part = part_of(collected, truth, known);
  BITTERN_ASSIGN_OR_RETURN(Calibration found, calibrate(part.collected, part.truth, options));
  found.left_out = collected.clips - known.size();
  return found;
}

// "0.0080 above it": what the mean was of what the promise limits.
std::string measured_text(double mean, Goal goal) {
  if (goal == Goal::kMacs) return fmt::format("{:.3f} of it", mean);
  if (goal == Goal::kTime) return fmt::format("{:.4g} us", mean);
  const std::string points = fmt::format("{:.4f}", std::abs(mean));
  if (points == "0.0000") return "no difference";
  return fmt::format("{} {} it", points, mean > 0 ? "below" : "above");
}

}  // namespace

Expected<Calibration> calibrate(const Collected& collected, const Truth& truth,
                                const CalibrateOptions& options) {
  if (collected.exits < 2) return invalid_argument("the model has one exit: there is nothing to choose");
  if (options.by_speaker && std::ranges::count(truth.speaker_known, 0) > 0)
    return calibrate_known(collected, truth, options);
  if (collected.clips < 2) return invalid_argument("one clip is too few: give two at least");
  Claim claim{.limit = options.limit, .high = 1, .confidence = options.confidence};
  if (options.goal == Goal::kTime) {
    const double whole = *std::max_element(options.exit_us.begin(), options.exit_us.end());
    claim.limit = options.limit / whole;
    if (claim.limit >= 1)
      return invalid_argument(
          fmt::format("the whole network takes {:.0f} us here, no more than the {:g} us allowed: nothing "
                      "need leave early",
                      whole, options.limit));
  }
  Calibration result;
  result.halves = split_in_halves(truth.groups, options.seed);
  if (result.halves.testing.empty())
    return invalid_argument("all clips are of one speaker: give two at least");
  result.temperatures = options.temperatures;
  for (std::size_t exit = result.temperatures.size(); exit < collected.exits; ++exit)
    result.temperatures.push_back(
        fit_temperature(collected, truth.labels, result.halves.tuning, static_cast<int>(exit) + 1));

  const Answers answers = answer_all(collected, result.temperatures, {});
  const std::vector<double> costs = costs_of(collected, options);
  const ChoiceOptions choosing{
      .promised = options.goal == Goal::kAccuracyLoss ? Promised::kAccuracyLoss : Promised::kCost,
      .claim = claim,
      .by_group = options.by_speaker};
  const std::vector<Thresholds> path = threshold_path(answers, truth, costs, result.halves.tuning);
  const Choice choice = choose_thresholds(path, answers, truth, costs, result.halves, choosing);
  if (!choice.thresholds) {
    const std::size_t units =
        options.by_speaker ? std::set(truth.groups.begin(), truth.groups.end()).size() : collected.clips;
    return not_shown(choice, claim, units, options);
  }
  result.thresholds = *choice.thresholds;
  result.mean = choice.mean * (options.goal == Goal::kTime ? options.limit / claim.limit : 1);

  const Part tested = part_of(collected, truth, result.halves.testing);
  const Answers said = answer_all(tested.collected, result.temperatures, {});
  const Answers uncalibrated = answer_all(tested.collected, std::vector<float>(collected.exits, 1.0F), {});
  for (std::size_t exit = 1; exit <= collected.exits; ++exit) {
    result.ece.push_back(expected_calibration_error(said, tested.truth, static_cast<int>(exit)));
    result.ece_without.push_back(
        expected_calibration_error(uncalibrated, tested.truth, static_cast<int>(exit)));
  }
  result.speakers = std::set(tested.truth.groups.begin(), tested.truth.groups.end()).size();
  BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy,
                           exits::Policy::with_thresholds("entropy", result.thresholds));
  result.outcome = apply(policy, said, tested.truth, tested.collected);
  result.last_accuracy = apply({}, said, tested.truth, tested.collected).accuracy;
  result.accuracy_loss = result.last_accuracy.value - result.outcome.accuracy.value;
  if (!options.exit_us.empty()) {
    double sum = 0;
    for (std::size_t exit = 0; exit < collected.exits; ++exit)
      sum += options.exit_us[exit] * static_cast<double>(result.outcome.histogram[exit]);
    result.time_us = sum / static_cast<double>(tested.collected.clips);
  }
  return result;
}

std::string promise_text(const Calibration& calibration, const CalibrateOptions& options,
                         const std::string& split) {
  const std::string speakers =
      options.by_speaker ? " of " + counted(calibration.speakers, "speaker") : std::string();
  return fmt::format("{}, as the mean of {}, confidence {:g}; measured: {} on {} {} clips{}",
                     limit_text(options), options.by_speaker ? "speakers" : "clips", options.confidence,
                     measured_text(calibration.mean, options.goal), calibration.halves.testing.size(), split,
                     speakers);
}

}  // namespace bittern::evaluation
