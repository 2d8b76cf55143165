#include "evaluation/thresholds.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

#include "core/random.h"
#include "core/shuffle.h"

namespace bittern::evaluation {
namespace {

constexpr std::size_t kLevels = 40;   // per exit
constexpr double kLeastStep = 0.005;  // of the work of all clips, that a step of the path saves

std::size_t taken(std::span<const exits::Answer> answers, const Thresholds& thresholds) {
  std::size_t exit = 0;
  while (exit + 1 < answers.size() && !(answers[exit].entropy < thresholds[exit])) ++exit;
  return exit;
}

// Quantiles of an exit's entropies, to four decimals, and all_leave().
std::vector<float> levels(const Answers& answers, std::span<const std::size_t> clips, std::size_t exit) {
  std::vector<float> entropies;
  for (const std::size_t clip : clips) entropies.push_back(answers.of(clip)[exit].entropy);
  std::sort(entropies.begin(), entropies.end());
  std::vector<float> result;
  const auto add = [&](float level) {
    if (level > (result.empty() ? 0.0F : result.back())) result.push_back(level);
  };
  for (std::size_t i = 1; i < kLevels; ++i)
    add(std::round(entropies[i * entropies.size() / kLevels] * 1e4F) / 1e4F);
  add(all_leave(answers.classes));
  return result;
}

struct Totals {
  double loss = 0;
  double cost = 0;
};

// Values of the clips, or of the groups they fall into.
std::vector<double> means_by_group(std::span<const double> values, std::span<const std::size_t> clips,
                                   std::span<const std::uint32_t> groups) {
  std::map<std::uint32_t, std::pair<double, double>> sums;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    auto& [sum, count] = sums[groups[clips[i]]];
    sum += values[i];
    count += 1;
  }
  std::vector<double> means;
  means.reserve(sums.size());
  for (const auto& [_, group] : sums) means.push_back(group.first / group.second);
  return means;
}

double mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return values.empty() ? 0 : sum / static_cast<double>(values.size());
}

// The variance of a mean over clips as it is with clips falling in groups, and as it would be were they
// independent; both but for the same factor. Nothing where all values are equal.
struct Variances {
  double together = 0;
  double alone = 0;
};

Variances variances(std::span<const double> values, std::span<const std::size_t> clips,
                    std::span<const std::uint32_t> groups) {
  Variances result;
  if (std::adjacent_find(values.begin(), values.end(), std::not_equal_to<>()) == values.end()) return result;
  const double middle = mean(values);
  std::map<std::uint32_t, double> sums;
  for (std::size_t i = 0; i < clips.size(); ++i) {
    sums[groups[clips[i]]] += values[i] - middle;
    result.alone += (values[i] - middle) * (values[i] - middle);
  }
  for (const auto& [_, sum] : sums) result.together += sum * sum;
  return result;
}

// Of the groups that the clips fall into, the size that a clip meets on average: the design effect if the
// clips of a group were all the same.
double met_size(std::span<const std::size_t> clips, std::span<const std::uint32_t> groups) {
  std::map<std::uint32_t, double> sizes;
  for (const std::size_t clip : clips) sizes[groups[clip]] += 1;
  double squares = 0;
  for (const auto& [_, size] : sizes) squares += size * size;
  return clips.empty() ? 1 : squares / static_cast<double>(clips.size());
}

// How alike clips of a group are, from 0 to 1: together = alone (1 + (size - 1) likeness). `unknown` where
// nothing tells.
double likeness(const Variances& found, double size, double unknown) {
  if (found.alone <= 0 || size <= 1) return unknown;
  return std::clamp((found.together / found.alone - 1) / (size - 1), 0.0, 1.0);
}

}  // namespace

float all_leave(std::size_t classes) {
  const double most = std::log(static_cast<double>(std::max<std::size_t>(classes, 1)));
  return static_cast<float>((std::floor(most * 1e3) + 2) / 1e3);
}

double accuracy_loss(std::span<const exits::Answer> answers, int label, const Thresholds& thresholds) {
  const bool right = answers[taken(answers, thresholds)].label == label;
  const bool right_at_last = answers.back().label == label;
  return (right_at_last ? 1.0 : 0.0) - (right ? 1.0 : 0.0);
}

std::vector<Thresholds> threshold_path(const Answers& answers, const Truth& truth,
                                       std::span<const double> costs, std::span<const std::size_t> clips) {
  const std::size_t exits = answers.exits;
  std::vector<Thresholds> path{Thresholds(exits, 0.0F)};
  if (clips.empty()) return path;
  std::vector<std::vector<float>> levels_of;
  for (std::size_t exit = 0; exit + 1 < exits; ++exit) levels_of.push_back(levels(answers, clips, exit));
  const auto totals = [&](const Thresholds& thresholds) {
    Totals sum;
    for (const std::size_t clip : clips) {
      sum.loss += accuracy_loss(answers.of(clip), truth.labels[clip], thresholds);
      sum.cost += costs[clip * exits + taken(answers.of(clip), thresholds)];
    }
    return sum;
  };
  const float always = all_leave(answers.classes);
  Totals now = totals(path.back());
  const double whole = now.cost;
  while (exits > 1 && path.back()[0] < always) {
    Thresholds best;
    double best_gain = -1;
    Totals best_totals;
    for (std::size_t exit = 0; exit + 1 < exits; ++exit) {
      for (const float level : levels_of[exit]) {
        if (level <= path.back()[exit]) continue;
        Thresholds raised = path.back();
        raised[exit] = level;
        const Totals then = totals(raised);
        const double saved = now.cost - then.cost;
        if (saved < kLeastStep * whole && level < always) continue;
        // As if a hundredth of what is saved were lost in any case: large steps are not better than small.
        const double gain = saved / (std::max(then.loss - now.loss, 0.0) + 0.01 * saved + 1e-9);
        if (gain > best_gain) {
          best = std::move(raised);
          best_gain = gain;
          best_totals = then;
        }
        break;
      }
    }
    path.push_back(std::move(best));
    now = best_totals;
  }
  return path;
}

Halves split_in_halves(std::span<const std::uint32_t> groups, std::uint64_t seed) {
  std::map<std::uint32_t, std::vector<std::size_t>> members;
  for (std::size_t clip = 0; clip < groups.size(); ++clip) members[groups[clip]].push_back(clip);
  std::vector<const std::vector<std::size_t>*> order;
  order.reserve(members.size());
  for (const auto& [_, clips] : members) order.push_back(&clips);
  Random random{0x5711, seed};
  shuffle(order, random);
  Halves halves;
  for (const auto* clips : order) {
    auto& half = halves.tuning.size() <= halves.testing.size() ? halves.tuning : halves.testing;
    half.insert(half.end(), clips->begin(), clips->end());
  }
  std::sort(halves.tuning.begin(), halves.tuning.end());
  std::sort(halves.testing.begin(), halves.testing.end());
  return halves;
}

Choice choose_thresholds(std::span<const Thresholds> path, const Answers& answers, const Truth& truth,
                         std::span<const double> costs, const Halves& halves, const ChoiceOptions& options) {
  const auto values_of = [&](const Thresholds& thresholds, std::span<const std::size_t> clips) {
    std::vector<double> values;
    values.reserve(clips.size());
    for (const std::size_t clip : clips) {
      values.push_back(options.promised == Promised::kAccuracyLoss
                           ? accuracy_loss(answers.of(clip), truth.labels[clip], thresholds)
                           : costs[clip * answers.exits + taken(answers.of(clip), thresholds)]);
    }
    return values;
  };
  const double needed = needed_log_capital(options.claim);
  std::vector<const Thresholds*> sequence;
  for (const Thresholds& thresholds : path) sequence.push_back(&thresholds);
  if (options.promised == Promised::kCost) {
    std::reverse(sequence.begin(), sequence.end());
  } else if (sequence.size() > 1) {
    sequence.erase(sequence.begin());  // leaves nowhere: nothing to promise
  }

  // Few losses, of strict thresholds, say little of how alike the clips of a group are: those of all
  // thresholds together say it better, and where there is none at all, the worst is assumed.
  const double tuning_size = met_size(halves.tuning, truth.groups);
  const double testing_size = met_size(halves.testing, truth.groups);
  Variances of_all;
  if (!options.by_group) {
    for (const Thresholds* thresholds : sequence) {
      const Variances one = variances(values_of(*thresholds, halves.tuning), halves.tuning, truth.groups);
      of_all.together += one.together;
      of_all.alone += one.alone;
    }
  }
  const double likeness_of_all = likeness(of_all, tuning_size, 1);

  Choice choice;
  for (const Thresholds* thresholds : sequence) {
    std::vector<double> tuning = values_of(*thresholds, halves.tuning);
    std::vector<double> testing = values_of(*thresholds, halves.testing);
    double effect = 1;
    if (options.by_group) {
      tuning = means_by_group(tuning, halves.tuning, truth.groups);
      testing = means_by_group(testing, halves.testing, truth.groups);
    } else {
      const double own = likeness(variances(tuning, halves.tuning, truth.groups), tuning_size, 0);
      effect = 1 + (testing_size - 1) * std::max(likeness_of_all, own);
    }
    const double bet = choose_bet(tuning, options.claim);
    const double capital = log_capital(testing, bet, options.claim) / effect;
    if (capital >= needed) {
      choice.thresholds = *thresholds;
      choice.mean = mean(testing);
      continue;
    }
    choice.failed_mean = mean(testing);
    choice.failed_units = testing.size();
    if (capital > 0)
      choice.needed_units = static_cast<std::size_t>(
          std::ceil(static_cast<double>(tuning.size() + testing.size()) * needed / capital));
    if (choice.failed_mean <= 0)
      choice.needed_units = std::max(choice.needed_units, needed_values(options.claim));
    break;
  }
  return choice;
}

}  // namespace bittern::evaluation
