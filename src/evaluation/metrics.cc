#include "evaluation/metrics.h"

namespace bittern::evaluation {
namespace {

std::size_t index(int from_one) { return static_cast<std::size_t>(from_one - 1); }

}  // namespace

Answers answer_all(const Collected& collected, std::span<const float> temperatures,
                   std::span<const std::uint8_t> only) {
  Answers answers{
      .clips = collected.clips, .exits = collected.exits, .classes = collected.classes, .values = {}};
  answers.values.reserve(collected.clips * collected.exits);
  std::vector<float> probabilities(collected.classes);
  for (std::size_t clip = 0; clip < collected.clips; ++clip) {
    for (std::size_t exit = 0; exit < collected.exits; ++exit) {
      exits::softmax(collected.logits_of(clip, exit), temperatures[exit], probabilities, only);
      answers.values.push_back(exits::answer(probabilities));
    }
  }
  return answers;
}

int exit_taken(std::span<const exits::Answer> answers, const exits::Policy& policy) {
  for (std::size_t seen = 1; seen < answers.size(); ++seen) {
    if (policy.leave(answers.first(seen))) return static_cast<int>(seen);
  }
  return static_cast<int>(answers.size());
}

Outcome apply(const exits::Policy& policy, const Answers& answers, const Truth& truth,
              const Collected& collected) {
  Outcome outcome;
  outcome.histogram.resize(answers.exits);
  outcome.histogram_per_class.assign(collected.classes, std::vector<std::size_t>(answers.exits));
  outcome.confusion.assign(collected.classes, std::vector<std::size_t>(collected.classes));
  std::vector<std::uint8_t> right(answers.clips);
  for (std::size_t clip = 0; clip < answers.clips; ++clip) {
    const auto of_clip = answers.of(clip);
    const int exit = exit_taken(of_clip, policy);
    const int label = truth.labels[clip];
    outcome.exits.push_back(exit);
    right[clip] = of_clip[index(exit)].label == label ? 1 : 0;
    outcome.average_exit += exit;
    outcome.macs_share += collected.shares_of(clip)[index(exit)];
    outcome.histogram[index(exit)] += 1;
    outcome.histogram_per_class[static_cast<std::size_t>(label)][index(exit)] += 1;
    outcome
        .confusion[static_cast<std::size_t>(label)][static_cast<std::size_t>(of_clip[index(exit)].label)] +=
        1;
  }
  if (answers.clips > 0) {
    outcome.average_exit /= static_cast<double>(answers.clips);
    outcome.macs_share /= static_cast<double>(answers.clips);
  }
  outcome.accuracy = proportion(right, truth.groups);
  return outcome;
}

Exchange against_last_exit(const Outcome& outcome, const Answers& answers, const Truth& truth) {
  Exchange exchange;
  for (std::size_t clip = 0; clip < answers.clips; ++clip) {
    const auto of_clip = answers.of(clip);
    const bool right = of_clip[index(outcome.exits[clip])].label == truth.labels[clip];
    const bool right_at_last = of_clip.back().label == truth.labels[clip];
    exchange.lost += right_at_last && !right ? 1 : 0;
    exchange.won += right && !right_at_last ? 1 : 0;
  }
  return exchange;
}

std::vector<std::vector<std::size_t>> confusion(const Answers& answers, const Truth& truth, int exit,
                                                std::size_t classes) {
  std::vector<std::vector<std::size_t>> counts(classes, std::vector<std::size_t>(classes));
  for (std::size_t clip = 0; clip < answers.clips; ++clip) {
    const auto label = static_cast<std::size_t>(truth.labels[clip]);
    counts[label][static_cast<std::size_t>(answers.of(clip)[index(exit)].label)] += 1;
  }
  return counts;
}

std::vector<Proportion> accuracy_per_class(const Answers& answers, const Truth& truth, int exit,
                                           std::size_t classes) {
  std::vector<std::vector<std::uint8_t>> right(classes);
  std::vector<std::vector<std::uint32_t>> groups(classes);
  for (std::size_t clip = 0; clip < answers.clips; ++clip) {
    const int label = truth.labels[clip];
    right[static_cast<std::size_t>(label)].push_back(answers.of(clip)[index(exit)].label == label ? 1 : 0);
    groups[static_cast<std::size_t>(label)].push_back(truth.groups[clip]);
  }
  std::vector<Proportion> accuracies;
  for (std::size_t c = 0; c < classes; ++c) accuracies.push_back(proportion(right[c], groups[c]));
  return accuracies;
}

}  // namespace bittern::evaluation
