#include "evaluation/calibration.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/random.h"

namespace bittern::evaluation {
namespace {

// One exit; logits of `classes` labels, the truth drawn from softmax(logits / temperature).
struct Drawn {
  Collected collected;
  Truth truth;
  std::vector<std::size_t> clips;

  Drawn(std::size_t count, std::size_t classes, double temperature, std::uint64_t seed) {
    Random random{seed};
    collected = {.clips = count, .exits = 1, .classes = classes, .logits = {}, .shares = {}};
    for (std::size_t clip = 0; clip < count; ++clip) {
      std::vector<double> p;
      for (std::size_t c = 0; c < classes; ++c) {
        const float logit = random.uniform(-4, 4);
        collected.logits.push_back(logit);
        p.push_back(std::exp(static_cast<double>(logit) / temperature));
      }
      double left = static_cast<double>(random.uniform()) * std::accumulate(p.begin(), p.end(), 0.0);
      std::size_t label = 0;
      while (label + 1 < classes && left >= p[label]) left -= p[label++];
      truth.labels.push_back(static_cast<int>(label));
    }
    truth.groups.assign(count, 0);
    clips.resize(count);
    std::iota(clips.begin(), clips.end(), std::size_t{0});
  }

  double error(float temperature) const {
    return expected_calibration_error(answer_all(collected, std::vector{temperature}, {}), truth, 1);
  }
};

TEST(Temperature, IsFoundWhereLabelsWereDrawnFromIt) {
  for (const double temperature : {0.4, 1.0, 3.0}) {
    const Drawn drawn(20000, 5, temperature, 7);
    const float fitted = fit_temperature(drawn.collected, drawn.truth.labels, drawn.clips, 1);
    EXPECT_NEAR(static_cast<double>(fitted), temperature, 0.05 * temperature);
    EXPECT_LT(drawn.error(fitted), 0.015);
    EXPECT_GT(drawn.error(fitted * 2.5F), 0.1);
  }
}

TEST(Temperature, NoOtherIsLikelier) {
  const Drawn drawn(300, 4, 1.7, 3);
  const auto likelihood = [&](double temperature) {
    double sum = 0;
    for (const std::size_t clip : drawn.clips) {
      double all = 0;
      const auto logits = drawn.collected.logits_of(clip, 0);
      for (const float logit : logits) all += std::exp(static_cast<double>(logit) / temperature);
      sum += static_cast<double>(logits[static_cast<std::size_t>(drawn.truth.labels[clip])]) / temperature -
             std::log(all);
    }
    return sum;
  };
  const auto fitted =
      static_cast<double>(fit_temperature(drawn.collected, drawn.truth.labels, drawn.clips, 1));
  for (double other = 0.05; other < 50; other *= 1.03)
    EXPECT_GE(likelihood(fitted), likelihood(other) - 1e-6);
}

TEST(Temperature, StaysInRangeWhereNothingIsLearnt) {
  Drawn drawn(50, 3, 1.0, 5);
  EXPECT_EQ(fit_temperature(drawn.collected, drawn.truth.labels, {}, 1), 1.0F);
  for (std::size_t clip = 0; clip < 50; ++clip) {  // all right: the colder the likelier
    const auto logits = drawn.collected.logits_of(clip, 0);
    drawn.truth.labels[clip] =
        static_cast<int>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
  EXPECT_LT(fit_temperature(drawn.collected, drawn.truth.labels, drawn.clips, 1), 0.1F);
  drawn.collected.logits.assign(150, 0.5F);
  const auto fitted =
      static_cast<double>(fit_temperature(drawn.collected, drawn.truth.labels, drawn.clips, 1));
  EXPECT_GE(fitted, kLeastFit * 0.999);
  EXPECT_LE(fitted, kMostFit * 1.001);
}

TEST(CalibrationError, IsTheGapOfEachBinWeighedByItsClips) {
  Answers answers{.clips = 5, .exits = 1, .values = std::vector<exits::Answer>(5)};
  const float p[] = {0.9F, 0.92F, 0.5F, 0.52F, 1.0F};
  for (std::size_t i = 0; i < 5; ++i) answers.values[i].max_probability = p[i];
  const Truth truth{{0, 1, 0, 0, 0}, {0, 1, 2, 3, 4}};  // all answers are 0
  // Bins: 0.9, 0.92 in (13/15, 14/15]; 0.5 and 0.52 in (7/15, 8/15]; 1 in the last.
  EXPECT_NEAR(expected_calibration_error(answers, truth, 1),
              (std::abs(1 - 1.82) + std::abs(2 - 1.02) + 0) / 5, 1e-6);
}

TEST(Reliability, HasTheBinsThatHaveClips) {
  Answers answers{.clips = 6, .exits = 2, .values = std::vector<exits::Answer>(12)};
  const float p[] = {0.9F, 0.92F, 0.5F, 0.52F, 1.0F, 0.0F};
  for (std::size_t i = 0; i < 6; ++i) answers.values[2 * i + 1].max_probability = p[i];
  const Truth truth{{0, 1, 0, 0, 0, 1}, {0, 1, 2, 3, 4, 5}};  // all answers are 0
  const std::vector<ReliabilityBin> bins = reliability(answers, truth, 2);
  ASSERT_EQ(bins.size(), 4U);
  const struct {
    std::size_t bin;
    double mean;
    std::size_t right, clips;
  } expected[] = {{1, 0, 0, 1}, {8, 0.51, 2, 2}, {14, 0.91, 1, 2}, {15, 1, 1, 1}};
  double error = 0;
  for (std::size_t b = 0; b < 4; ++b) {
    EXPECT_EQ(bins[b].bin, expected[b].bin);
    EXPECT_NEAR(bins[b].mean_probability, expected[b].mean, 1e-6);
    const Proportion accuracy = wilson(expected[b].right, expected[b].clips);
    EXPECT_EQ(bins[b].accuracy.clips, accuracy.clips);
    EXPECT_EQ(bins[b].accuracy.value, accuracy.value);
    EXPECT_EQ(bins[b].accuracy.low, accuracy.low);
    EXPECT_EQ(bins[b].accuracy.high, accuracy.high);
    error += std::abs(bins[b].accuracy.value - bins[b].mean_probability) *
             static_cast<double>(bins[b].accuracy.clips);
  }
  EXPECT_NEAR(expected_calibration_error(answers, truth, 2), error / 6, 1e-12);
  EXPECT_TRUE(reliability(Answers{.clips = 0, .exits = 1, .values = {}}, {}, 1).empty());
}

TEST(Reliability, ClipsOfOneSpeakerWidenTheirBinsInterval) {
  Answers answers{.clips = 40, .exits = 1, .values = std::vector<exits::Answer>(40)};
  Truth truth;
  for (std::size_t i = 0; i < 40; ++i) {
    answers.values[i].max_probability = 0.5F;
    truth.labels.push_back(i < 20 ? 0 : 1);  // of two speakers one is always answered rightly
    truth.groups.push_back(i < 20 ? 0 : 1);
  }
  const std::vector<ReliabilityBin> bins = reliability(answers, truth, 1);
  ASSERT_EQ(bins.size(), 1U);
  EXPECT_EQ(bins[0].accuracy.value, 0.5);
  EXPECT_EQ(bins[0].accuracy.low, 0);
  EXPECT_EQ(bins[0].accuracy.high, 1);
}

}  // namespace
}  // namespace bittern::evaluation
