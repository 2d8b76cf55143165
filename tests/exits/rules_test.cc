// Each rule, the policies made of them, and what they refuse.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"
#include "exits/rule.h"

namespace bittern::exits {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

Policy policy(std::string_view rule, float threshold) {
  return Policy::with_threshold(rule, threshold).value();
}

Answer said(int label, float entropy = 0, float max_probability = 0, float margin = 0) {
  return {label, entropy, max_probability, margin};
}

TEST(Rules, AreFoundByName) {
  for (const Rule& rule : rules()) EXPECT_EQ(find_rule(rule.name).value()->name, rule.name);
}

TEST(Rules, SweepAndDefaultPassTheirOwnCheck) {
  for (const Rule& rule : rules()) {
    EXPECT_TRUE(rule.check(rule.default_threshold).ok()) << rule.name;
    for (const float threshold : rule.sweep) EXPECT_TRUE(rule.check(threshold).ok()) << rule.name;
  }
}

TEST(Rules, EntropySweepIsThePapers) {
  EXPECT_EQ(find_rule("entropy").value()->sweep, (std::array{0.1F, 0.25F, 0.5F, 0.75F, 1.0F}));
}

TEST(Rules, RefuseNonsenseInOneLine) {
  for (const Rule& rule : rules()) {
    for (const float threshold : {kNan, kInfinity, -kInfinity, -1.0F, -1e-7F}) {
      const auto refused = Policy::with_threshold(rule.name, threshold);
      ASSERT_FALSE(refused.ok()) << rule.name << " took " << threshold;
      EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
      EXPECT_NE(refused.error().message.find(rule.name), std::string::npos);
      EXPECT_EQ(refused.error().message.find('\n'), std::string::npos);
    }
  }
}

TEST(Rules, ErrorNamesValueAndRange) {
  EXPECT_EQ(Policy::with_threshold("max-probability", 1.5F).error().message,
            "the threshold of rule 'max-probability' is 1.5; give a number from 0 to 1");
  EXPECT_EQ(
      Policy::with_threshold("patience", 2.5F).error().message,
      "the threshold of rule 'patience' is 2.5; give a whole number: how many exits in a row must agree");
  EXPECT_EQ(Policy::with_threshold("entropy", -1).error().message,
            "the threshold of rule 'entropy' is -1; give 0 or more");
  EXPECT_FALSE(Policy::with_threshold("patience", 17).ok());
  EXPECT_FALSE(Policy::with_threshold("margin", 1.01F).ok());
}

TEST(Rules, UnknownNameListsTheKnown) {
  const auto unknown = find_rule("enthalpy");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_EQ(unknown.error().message,
            "no exit rule is called 'enthalpy'; known: entropy, max-probability, margin, patience");
}

TEST(EntropyRule, LeavesBelowTheThresholdOnly) {
  const Policy rule = policy("entropy", 0.5F);
  EXPECT_TRUE(rule.leave(std::vector{said(0, 0.49F)}));
  EXPECT_FALSE(rule.leave(std::vector{said(0, 0.5F)}));
  EXPECT_FALSE(policy("entropy", 0).leave(std::vector{said(0, 0)}));
}

TEST(MaxProbabilityRule, LeavesAtTheThreshold) {
  const Policy rule = policy("max-probability", 0.75F);
  EXPECT_TRUE(rule.leave(std::vector{said(0, 0, 0.75F)}));
  EXPECT_FALSE(rule.leave(std::vector{said(0, 0, 0.7499F)}));
}

TEST(MarginRule, LeavesAtTheThreshold) {
  const Policy rule = policy("margin", 0.25F);
  EXPECT_TRUE(rule.leave(std::vector{said(0, 0, 0, 0.25F)}));
  EXPECT_FALSE(rule.leave(std::vector{said(0, 0, 0, 0.2499F)}));
}

TEST(PatienceRule, WantsTheSameLabelSoManyTimesInARow) {
  const Policy three = policy("patience", 3);
  const std::vector<Answer> answers{said(4), said(1), said(1), said(2), said(2), said(2), said(2)};
  const std::vector<bool> leaves{false, false, false, false, false, true, true};
  for (std::size_t k = 1; k <= answers.size(); ++k) {
    EXPECT_EQ(three.leave(std::span(answers).first(k)), leaves[k - 1]) << "exit " << k;
  }
  EXPECT_TRUE(policy("patience", 1).leave(std::span(answers).first(1)));
}

// A looser threshold never leaves later.
TEST(Rules, AreMonotone) {
  for (const Rule& rule : rules()) {
    Random random({11});
    for (int trial = 0; trial < 200; ++trial) {
      std::vector<Answer> answers(5);
      for (Answer& a : answers) {
        a = said(static_cast<int>(random.below(3)), random.uniform(0, 1.2F), random.uniform(),
                 random.uniform());
      }
      const auto leaves_at = [&](float threshold) {
        for (std::size_t k = 1; k < answers.size(); ++k) {
          if (rule.leave(std::span(answers).first(k), threshold)) return k;
        }
        return answers.size();
      };
      const bool rising_is_looser = rule.name == "entropy";
      for (std::size_t i = 1; i < rule.sweep.size(); ++i) {
        const std::size_t lower = leaves_at(rule.sweep[i - 1]);
        const std::size_t higher = leaves_at(rule.sweep[i]);
        ASSERT_TRUE(rising_is_looser ? higher <= lower : lower <= higher) << rule.name << " trial " << trial;
      }
    }
  }
}

TEST(Policy, OneThresholdPerExit) {
  const Policy mixed = Policy::with_thresholds("entropy", std::vector{0.1F, 0.9F}).value();
  const std::vector answers{said(0, 0.5F), said(0, 0.5F)};
  EXPECT_FALSE(mixed.leave(std::span(answers).first(1)));
  EXPECT_TRUE(mixed.leave(answers));
  EXPECT_FALSE(Policy::with_thresholds("entropy", {}).ok());
  EXPECT_FALSE(Policy::with_thresholds("entropy", std::vector<float>(17, 0.5F)).ok());
  EXPECT_FALSE(Policy::with_thresholds("entropy", std::vector{0.1F, kNan}).ok());
}

TEST(Policy, FixedExit) {
  const Policy second = Policy::at_exit(2, 5).value();
  const std::vector answers{said(0), said(1)};
  EXPECT_FALSE(second.leave(std::span(answers).first(1)));
  EXPECT_TRUE(second.leave(answers));
  EXPECT_FALSE(Policy{}.leave(answers));  // the last exit: its caller knows which that is
  for (const int exit : {-1, 0, 6}) {
    const auto refused = Policy::at_exit(exit, 5);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().message,
              "there is no exit " + std::to_string(exit) + "; give a number from 1 to 5");
  }
}

}  // namespace
}  // namespace bittern::exits
