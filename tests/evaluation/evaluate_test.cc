// The report against classifying every clip, one by one, with the rule in charge.
#include "evaluation/evaluate.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <utility>

#include "evaluation/timing.h"
#include "evaluation/varied_model.h"

namespace bittern::evaluation {
namespace {

class Evaluate : public testing::Test {
 protected:
  Evaluate() {
    clips_.samples = synthetic_clips(60, 3600);
    model_ = varied_model(model::tiny_network(5), 8, clips_.samples);
    for (std::size_t i = 0; i < clips_.samples.size(); ++i) {
      clips_.labels.push_back(static_cast<int>(i % 5));
      clips_.names.push_back("c" + std::to_string(i));
      clips_.speakers.push_back("s" + std::to_string(i / 4));
    }
  }

  void expect_row(const exits::Policy& policy, const std::vector<std::uint8_t>& only,
                  const Proportion& accuracy, double average_exit, double macs_share) {
    auto session = runtime::Session::create(model_);
    double right = 0, exits = 0, share = 0;
    for (std::size_t i = 0; i < clips_.samples.size(); ++i) {
      runtime::Classification said;
      ASSERT_TRUE(session->classify(clips_.samples[i], policy, said, only).ok());
      right += said.label == clips_.labels[i] ? 1 : 0;
      exits += said.exit;
      share += said.macs_share;
    }
    const auto count = static_cast<double>(clips_.samples.size());
    EXPECT_DOUBLE_EQ(accuracy.value, right / count);
    EXPECT_DOUBLE_EQ(average_exit, exits / count);
    EXPECT_NEAR(macs_share, share / count, 1e-12);
  }

  LabelledClips clips_;
  std::shared_ptr<const model::Model> model_;
};

TEST_F(Evaluate, EveryRowIsWhatClassifyingClipByClipGives) {
  for (const std::vector<std::uint8_t>& only :
       {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>{1, 1, 0, 1, 0}}) {
    EvaluateOptions options;
    options.only = only;
    const auto report = evaluate(model_, clips_, options);
    ASSERT_TRUE(report.ok()) << report.error().message;
    ASSERT_EQ(report->exits.size(), 3U);
    for (const ExitRow& row : report->exits)
      expect_row(exits::Policy::at_exit(row.exit, 3).value(), only, row.accuracy, row.exit, row.macs_share);
    std::set<std::string> rules;
    for (const RuleRow& row : report->rules) {
      rules.insert(row.rule);
      expect_row(exits::Policy::with_threshold(row.rule, row.threshold).value(), only, row.outcome.accuracy,
                 row.outcome.average_exit, row.outcome.macs_share);
    }
    EXPECT_EQ(rules.size(), exits::rules().size());
    // Of three exits, no four can agree.
    EXPECT_EQ(report->rules.size(), 5 * exits::rules().size() - 2);
    EXPECT_TRUE(std::ranges::none_of(
        report->rules, [](const RuleRow& row) { return row.rule == "patience" && row.threshold > 3; }));
  }
}

TEST_F(Evaluate, OperatingPointsAreComparedWithTheLastExit) {
  auto changed = std::make_shared<model::Model>(*model_);
  changed->operating_points = {{"late", "entropy", {0, 0, 0}, "all"},
                               {"early", "entropy", {1.0F, 1.0F, 0}, ""}};
  model_ = changed;
  const auto report = evaluate(model_, clips_, {});
  ASSERT_TRUE(report.ok()) << report.error().message;
  ASSERT_EQ(report->operating_points.size(), 2U);
  const PointRow& late = report->operating_points[0];
  EXPECT_EQ(late.exchange.lost + late.exchange.won, 0U);
  EXPECT_EQ(late.outcome.average_exit, 3);

  const PointRow& early = report->operating_points[1];
  const auto policy = exits::Policy::with_thresholds("entropy", early.thresholds).value();
  expect_row(policy, {}, early.outcome.accuracy, early.outcome.average_exit, early.outcome.macs_share);
  EXPECT_LT(early.outcome.average_exit, 2.9);
  auto session = runtime::Session::create(model_);
  Exchange wanted;
  for (std::size_t i = 0; i < clips_.samples.size(); ++i) {
    runtime::Classification said, at_last;
    ASSERT_TRUE(session->classify(clips_.samples[i], policy, said).ok());
    ASSERT_TRUE(session->classify(clips_.samples[i], {}, at_last).ok());
    const bool right = said.label == clips_.labels[i], right_at_last = at_last.label == clips_.labels[i];
    if (right && !right_at_last) ++wanted.won;
    if (!right && right_at_last) ++wanted.lost;
  }
  EXPECT_GT(wanted.won, 0U);
  EXPECT_GT(wanted.lost, 0U);
  EXPECT_EQ(early.exchange.lost, wanted.lost);
  EXPECT_EQ(early.exchange.won, wanted.won);
  EXPECT_NEAR(early.accuracy_loss(), report->exits.back().accuracy.value - early.outcome.accuracy.value,
              1e-12);
}

// Of exit 3, at temperature 0.5, probabilities are nearer to 1 than without.
TEST_F(Evaluate, ReliabilityIsWithAndWithoutTheTemperature) {
  auto changed = std::make_shared<model::Model>(*model_);
  changed->temperatures = {1.0F, 1.0F, model_->temperatures[2] / 2};
  model_ = changed;
  const auto report = evaluate(model_, clips_, {});
  ASSERT_TRUE(report.ok()) << report.error().message;
  for (const ExitRow& row : report->exits) {
    for (const auto& [bins, ece] :
         {std::pair(row.reliability, row.ece), {row.reliability_without, row.ece_without}}) {
      double clips = 0, error = 0, right = 0;
      for (const ReliabilityBin& bin : bins) {
        const auto count = static_cast<double>(bin.accuracy.clips);
        clips += count;
        right += count * bin.accuracy.value;
        error += count * std::abs(bin.accuracy.value - bin.mean_probability);
        EXPECT_GT(bin.mean_probability * kCalibrationBins, static_cast<double>(bin.bin) - 1 - 1e-6);
        EXPECT_LE(bin.mean_probability * kCalibrationBins, static_cast<double>(bin.bin) + 1e-6);
      }
      EXPECT_EQ(clips, 60);
      EXPECT_NEAR(right / 60, row.accuracy.value, 1e-12);
      EXPECT_NEAR(error / 60, ece, 1e-12);
    }
  }
  EXPECT_EQ(report->exits[0].ece, report->exits[0].ece_without);
  EXPECT_NE(report->exits[2].ece, report->exits[2].ece_without);
}

// Without this the tests above could pass on a model that always says the same.
TEST_F(Evaluate, TheTestModelsAnswersAndExitsDiffer) {
  const auto report = evaluate(model_, clips_, {});
  ASSERT_TRUE(report.ok());
  bool differs = false;
  for (const RuleRow& row : report->rules)
    differs = differs || (row.outcome.average_exit > 1.05 && row.outcome.average_exit < 2.95);
  EXPECT_TRUE(differs);
  std::set<std::size_t> answered;
  for (const auto& row : report->confusion)
    for (std::size_t c = 0; c < row.size(); ++c)
      if (row[c] > 0) answered.insert(c);
  EXPECT_GE(answered.size(), 3U);
}

TEST_F(Evaluate, ClipRowsFollowThePolicy) {
  EvaluateOptions options;
  options.per_clip = true;
  options.timing = true;
  options.policy = exits::Policy::with_threshold("margin", 0.3F).value();
  const auto report = evaluate(model_, clips_, options);
  ASSERT_TRUE(report.ok());
  ASSERT_EQ(report->clip_rows.size(), clips_.samples.size());
  auto session = runtime::Session::create(model_);
  for (std::size_t i = 0; i < clips_.samples.size(); ++i) {
    runtime::Classification said;
    ASSERT_TRUE(session->classify(clips_.samples[i], options.policy, said).ok());
    const ClipRow& row = report->clip_rows[i];
    EXPECT_EQ(row.file, clips_.names[i]);
    EXPECT_EQ(row.truth, model_->labels[static_cast<std::size_t>(clips_.labels[i])]);
    EXPECT_EQ(row.label, model_->labels[static_cast<std::size_t>(said.label)]);
    EXPECT_EQ(row.exit, said.exit);
    EXPECT_EQ(row.entropy, said.entropy);
    EXPECT_EQ(row.macs_share, said.macs_share);
    EXPECT_GT(row.time_us.value_or(0), 0);
  }
  for (const ExitRow& row : report->exits) EXPECT_GT(row.time_us.value_or(0), 0);
  for (const RuleRow& row : report->rules) EXPECT_GT(row.time_us.value_or(0), 0);
}

TEST_F(Evaluate, CountsSpeakersAndRefusesNothing) {
  EXPECT_EQ(evaluate(model_, clips_, {})->speakers, 15U);
  EXPECT_EQ(evaluate(model_, clips_, {})->unknown_speaker, 0U);
  for (std::size_t i = 0; i < 5; ++i) clips_.speakers[i].clear();  // all four of speaker 0, one of speaker 1
  EXPECT_EQ(evaluate(model_, clips_, {})->speakers, 14U);
  EXPECT_EQ(evaluate(model_, clips_, {})->unknown_speaker, 5U);
  EXPECT_FALSE(evaluate(model_, {}, {}).ok());
}

TEST(Median, IsTheMiddle) {
  EXPECT_EQ(median({3, 1, 2}), 2);
  EXPECT_EQ(median({4, 1, 2, 3}), 2.5);
  EXPECT_EQ(median({7}), 7);
}

}  // namespace
}  // namespace bittern::evaluation
