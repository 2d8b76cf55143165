// softmax, entropy and answer against the same formulas in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <numbers>
#include <vector>

#include "core/random.h"
#include "exits/rule.h"

namespace bittern::exits {
namespace {

std::vector<double> reference_softmax(const std::vector<float>& logits, double temperature,
                                      const std::vector<std::uint8_t>& only = {}) {
  std::vector<double> p(logits.size());
  double sum = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    if (only.empty() || only[i] != 0) sum += p[i] = std::exp(static_cast<double>(logits[i]) / temperature);
  }
  for (double& x : p) x /= sum;
  return p;
}

double reference_entropy(const std::vector<double>& p) {
  double h = 0;
  for (const double x : p) h -= x > 0 ? x * std::log(x) : 0;
  return h;
}

std::vector<float> random_logits(std::uint64_t seed, std::size_t classes) {
  Random random({seed, 7});
  const float scale = random.uniform(0.1F, 40.0F);
  std::vector<float> logits(classes);
  for (float& x : logits) x = random.uniform(-scale, scale);
  return logits;
}

TEST(Softmax, AgreesWithDoublePrecision) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const std::vector<float> logits = random_logits(seed, 1 + seed % 40);
    const float temperature = std::array{0.5F, 1.0F, 2.5F}[seed % 3];
    std::vector<float> p(logits.size());
    softmax(logits, temperature, p);
    const std::vector<double> expected = reference_softmax(logits, temperature);
    for (std::size_t i = 0; i < p.size(); ++i) {
      ASSERT_NEAR(p[i], expected[i], 1e-6 + 2e-5 * expected[i]) << "seed " << seed << " class " << i;
    }
    ASSERT_NEAR(entropy(p), reference_entropy(expected), 1e-5) << "seed " << seed;
  }
}

TEST(Softmax, StaysFiniteAtTheEndsOfTheRange) {
  for (const float big : {1e30F, 3e38F}) {
    const std::vector<float> logits{big, -big, 0};
    std::vector<float> p(3);
    softmax(logits, 1.0F, p);
    EXPECT_EQ(p, (std::vector<float>{1, 0, 0}));
    EXPECT_EQ(entropy(p), 0.0F);
    EXPECT_FALSE(std::signbit(entropy(p)));
  }
}

// Divisions by the sum may not lead below the normal numbers, which some hosts flush to zero.
TEST(Softmax, GivesZeroOrANormalNumber) {
  std::vector<float> p(4);
  softmax(std::vector<float>{0, 0, 0, -87.0F}, 1.0F, p);
  EXPECT_EQ(p[3], 0.0F);
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Random random({seed, 8});
    for (const float low : {-85.5F, -86.0F, -86.5F}) {
      softmax(std::vector<float>{0, 0, 0, low + random.uniform(-0.5F, 0.5F)}, 1.0F, p);
      EXPECT_TRUE(p[3] == 0.0F || std::isnormal(p[3])) << p[3];
    }
  }
}

TEST(Softmax, DoesNotDependOnAShiftThatIsExact) {
  const std::vector<float> logits{0.5F, -1.25F, 3.0F, 2.0F};
  std::vector<float> shifted = logits;
  for (float& x : shifted) x += 64.0F;
  std::vector<float> a(4), b(4);
  softmax(logits, 1.0F, a);
  softmax(shifted, 1.0F, b);
  EXPECT_EQ(a, b);
}

TEST(Softmax, RenormalisesOverTheLabelsAllowed) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const std::size_t classes = 2 + seed % 20;
    const std::vector<float> logits = random_logits(seed, classes);
    std::vector<std::uint8_t> only(classes);
    Random random({seed, 8});
    for (auto& x : only) x = random.below(2) != 0 ? 1 : 0;
    only[random.below(classes)] = 1;
    std::vector<float> p(classes);
    softmax(logits, 1.0F, p, only);
    const std::vector<double> expected = reference_softmax(logits, 1.0, only);
    for (std::size_t i = 0; i < classes; ++i) {
      if (only[i] == 0) {
        ASSERT_EQ(p[i], 0.0F);
      }
      ASSERT_NEAR(p[i], expected[i], 1e-6 + 2e-5 * expected[i]) << "seed " << seed;
    }
    const Answer said = answer(p);
    ASSERT_EQ(only[static_cast<std::size_t>(said.label)], 1);
  }
}

TEST(Softmax, AllowingEveryLabelChangesNothing) {
  const std::vector<float> logits = random_logits(3, 12);
  std::vector<float> a(12), b(12);
  softmax(logits, 1.0F, a);
  softmax(logits, 1.0F, b, std::vector<std::uint8_t>(12, 1));
  EXPECT_EQ(a, b);
}

TEST(Entropy, IsLargestForAnEvenAnswer) {
  for (const int classes : {1, 2, 12, 35, 1000}) {
    const std::vector<float> p(static_cast<std::size_t>(classes), 1.0F / static_cast<float>(classes));
    EXPECT_NEAR(entropy(p), std::log(static_cast<double>(classes)), 2e-5 * classes / 12 + 1e-6);
  }
  EXPECT_NEAR(entropy(std::vector<float>{0.5F, 0.5F}), std::numbers::ln2, 1e-7);
}

TEST(Entropy, IsNeverNegative) {
  for (std::uint64_t seed = 0; seed < 500; ++seed) {
    const std::vector<float> logits = random_logits(seed, 12);
    std::vector<float> p(12);
    softmax(logits, 0.1F, p);
    ASSERT_GE(entropy(p), 0.0F);
  }
}

TEST(Answer, NamesTheFirstOfEquals) {
  const Answer said = answer(std::vector<float>{0.1F, 0.4F, 0.1F, 0.4F});
  EXPECT_EQ(said.label, 1);
  EXPECT_EQ(said.max_probability, 0.4F);
  EXPECT_EQ(said.margin, 0.0F);
}

TEST(Answer, TakesTheSecondFromBeforeAndBehind) {
  EXPECT_FLOAT_EQ(answer(std::vector<float>{0.7F, 0.1F, 0.2F}).margin, 0.5F);
  EXPECT_FLOAT_EQ(answer(std::vector<float>{0.2F, 0.1F, 0.7F}).margin, 0.5F);
  EXPECT_FLOAT_EQ(answer(std::vector<float>{1.0F}).margin, 1.0F);
}

}  // namespace
}  // namespace bittern::exits
