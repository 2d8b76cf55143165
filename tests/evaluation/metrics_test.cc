// Against an evaluation written as plainly as possible, from random logits.
#include "evaluation/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"

namespace bittern::evaluation {
namespace {

constexpr std::size_t kClips = 200, kExits = 4, kClasses = 6;

struct Fixture {
  Collected collected{.clips = kClips, .exits = kExits, .classes = kClasses, .logits = {}, .shares = {}};
  Truth truth;
  std::vector<float> temperatures{1.0F, 0.5F, 2.0F, 1.0F};

  Fixture() {
    Random random{11};
    std::vector<std::string> speakers;
    for (std::size_t clip = 0; clip < kClips; ++clip) {
      const auto label = static_cast<std::size_t>(random.below(kClasses));
      truth.labels.push_back(static_cast<int>(label));
      speakers.push_back(std::to_string(random.below(40)));
      for (std::size_t exit = 0; exit < kExits; ++exit) {
        for (std::size_t c = 0; c < kClasses; ++c)
          collected.logits.push_back(random.uniform(-2, 2) +
                                     (c == label ? static_cast<float>(exit + 1) : 0.0F));
        collected.shares.push_back(0.25 * static_cast<double>(exit + 1) -
                                   (clip % 2 == 0 && exit + 1 < kExits ? 0.01 : 0));
      }
    }
    truth.groups = group_by_speaker(speakers);
  }

  std::vector<double> probabilities(std::size_t clip, std::size_t exit,
                                    const std::vector<std::uint8_t>& only) const {
    std::vector<double> p(kClasses);
    double sum = 0;
    for (std::size_t c = 0; c < kClasses; ++c) {
      if (!only.empty() && only[c] == 0) continue;
      p[c] = std::exp(static_cast<double>(collected.logits_of(clip, exit)[c]) /
                      static_cast<double>(temperatures[exit]));
      sum += p[c];
    }
    for (double& x : p) x /= sum;
    return p;
  }
};

std::size_t largest(const std::vector<double>& p) {
  return static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
}

TEST(AnswerAll, IsSoftmaxWithEachExitsTemperatureOverTheAllowedLabels) {
  const Fixture f;
  for (const std::vector<std::uint8_t>& only :
       {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>{1, 0, 1, 1, 0, 0}}) {
    const Answers answers = answer_all(f.collected, f.temperatures, only);
    for (std::size_t clip = 0; clip < kClips; ++clip)
      for (std::size_t exit = 0; exit < kExits; ++exit) {
        const std::vector<double> p = f.probabilities(clip, exit, only);
        double entropy = 0;
        for (const double x : p)
          if (x > 0) entropy -= x * std::log(x);
        const exits::Answer& answer = answers.of(clip)[exit];
        EXPECT_EQ(static_cast<std::size_t>(answer.label), largest(p));
        EXPECT_NEAR(static_cast<double>(answer.entropy), entropy, 1e-4);
        EXPECT_NEAR(static_cast<double>(answer.max_probability), p[largest(p)], 1e-5);
      }
  }
}

TEST(Apply, CountsWhatTheRuleDoesClipByClip) {
  const Fixture f;
  const Answers answers = answer_all(f.collected, f.temperatures, {});
  for (const float threshold : {0.0F, 0.3F, 0.8F, 1.2F, 10.0F}) {
    const Outcome outcome =
        apply(exits::Policy::with_threshold("entropy", threshold).value(), answers, f.truth, f.collected);
    double right = 0, exits_sum = 0, share = 0;
    std::vector<std::size_t> histogram(kExits);
    std::vector<std::vector<std::size_t>> per_class(kClasses, std::vector<std::size_t>(kExits));
    for (std::size_t clip = 0; clip < kClips; ++clip) {
      std::size_t exit = 0;
      while (exit + 1 < kExits && !(answers.of(clip)[exit].entropy < threshold)) ++exit;
      right += answers.of(clip)[exit].label == f.truth.labels[clip] ? 1 : 0;
      exits_sum += static_cast<double>(exit + 1);
      share += f.collected.shares[clip * kExits + exit];
      ++histogram[exit];
      ++per_class[static_cast<std::size_t>(f.truth.labels[clip])][exit];
      EXPECT_EQ(outcome.exits[clip], static_cast<int>(exit + 1));
    }
    EXPECT_DOUBLE_EQ(outcome.accuracy.value, right / kClips);
    EXPECT_EQ(outcome.accuracy.clips, kClips);
    EXPECT_DOUBLE_EQ(outcome.average_exit, exits_sum / kClips);
    EXPECT_NEAR(outcome.macs_share, share / kClips, 1e-12);
    EXPECT_EQ(outcome.histogram, histogram);
    EXPECT_EQ(outcome.histogram_per_class, per_class);
  }
}

TEST(Apply, ThresholdsMoveClipsFromTheLastExitToTheFirst) {
  const Fixture f;
  const Answers answers = answer_all(f.collected, f.temperatures, {});
  const auto at = [&](float threshold) {
    return apply(exits::Policy::with_threshold("entropy", threshold).value(), answers, f.truth, f.collected);
  };
  EXPECT_EQ(at(0).average_exit, kExits);
  EXPECT_EQ(at(10).average_exit, 1.0);
  EXPECT_GT(at(0.3F).average_exit, at(0.8F).average_exit);
}

TEST(Apply, PatienceWaitsForAgreement) {
  const Fixture f;
  const Answers answers = answer_all(f.collected, f.temperatures, {});
  const Outcome outcome =
      apply(exits::Policy::with_threshold("patience", 2).value(), answers, f.truth, f.collected);
  EXPECT_EQ(outcome.histogram[0], 0U);
  for (std::size_t clip = 0; clip < kClips; ++clip) {
    const auto row = answers.of(clip);
    std::size_t exit = 1;
    while (exit + 1 < kExits && row[exit].label != row[exit - 1].label) ++exit;
    EXPECT_EQ(outcome.exits[clip], static_cast<int>(exit + 1));
  }
}

TEST(Confusion, RowsAreTruthAndSumToTheClassCounts) {
  const Fixture f;
  const Answers answers = answer_all(f.collected, f.temperatures, {});
  for (int exit = 1; exit <= static_cast<int>(kExits); ++exit) {
    const auto counts = confusion(answers, f.truth, exit, kClasses);
    const auto accuracies = accuracy_per_class(answers, f.truth, exit, kClasses);
    const Outcome outcome =
        apply(exits::Policy::at_exit(exit, kExits).value(), answers, f.truth, f.collected);
    std::size_t diagonal = 0;
    for (std::size_t truth = 0; truth < kClasses; ++truth) {
      std::size_t clips = 0;
      for (std::size_t answer = 0; answer < kClasses; ++answer) {
        std::size_t wanted = 0;
        for (std::size_t clip = 0; clip < kClips; ++clip)
          wanted +=
              f.truth.labels[clip] == static_cast<int>(truth) &&
                      answers.of(clip)[static_cast<std::size_t>(exit - 1)].label == static_cast<int>(answer)
                  ? 1
                  : 0;
        EXPECT_EQ(counts[truth][answer], wanted);
        clips += wanted;
      }
      diagonal += counts[truth][truth];
      EXPECT_EQ(accuracies[truth].clips, clips);
      EXPECT_DOUBLE_EQ(accuracies[truth].value,
                       static_cast<double>(counts[truth][truth]) / static_cast<double>(clips));
    }
    EXPECT_DOUBLE_EQ(outcome.accuracy.value, static_cast<double>(diagonal) / kClips);
  }
}

TEST(AccuracyPerClass, AClassWithoutClipsIsSaidToHaveNone) {
  const Fixture f;
  const Answers answers = answer_all(f.collected, f.temperatures, {});
  const auto accuracies = accuracy_per_class(answers, f.truth, 1, kClasses + 1);
  EXPECT_EQ(accuracies.back().clips, 0U);
}

}  // namespace
}  // namespace bittern::evaluation
