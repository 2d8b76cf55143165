// Every term of the loss against loops over clips and classes, in double.
#include "training/loss.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"

namespace bittern::training {
namespace {

constexpr int kClips = 5;
constexpr int kClasses = 4;
constexpr int kExits = 3;

using Rows = std::vector<std::vector<double>>;

// softmax(row / temperature)
std::vector<double> softmax(const std::vector<double>& row, double temperature) {
  std::vector<double> result;
  for (const double logit : row) result.push_back(std::exp(logit / temperature));
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& value : result) value /= sum;
  return result;
}

struct Case {
  std::vector<Rows> logits;  // per exit
  std::vector<std::int64_t> labels, others;
  std::vector<float> shares;

  explicit Case(bool mixed) {
    Random random{17};
    for (int k = 0; k < kExits; ++k) {
      logits.emplace_back(kClips, std::vector<double>(kClasses));
      for (auto& row : logits.back())
        for (double& value : row) value = random.uniform(-3, 3);
    }
    for (int i = 0; i < kClips; ++i) {
      labels.push_back(static_cast<std::int64_t>(random.below(kClasses)));
      if (!mixed) continue;
      others.push_back(static_cast<std::int64_t>(random.below(kClasses)));
      shares.push_back(random.uniform());
    }
  }

  Targets targets() const {
    Targets result{at::tensor(labels), {}, {}};
    if (!others.empty()) {
      result.others = at::tensor(others);
      result.shares = at::tensor(shares);
    }
    return result;
  }
  std::vector<at::Tensor> tensors() const {
    std::vector<at::Tensor> result;
    for (const Rows& rows : logits) {
      std::vector<at::Tensor> parts;
      for (const auto& row : rows) parts.push_back(at::tensor(row, at::kFloat));
      result.push_back(at::stack(parts).set_requires_grad(true));
    }
    return result;
  }

  double cross_entropy(int exit, double smoothing) const {
    double sum = 0;
    for (std::size_t i = 0; i < kClips; ++i) {
      const std::vector<double> p = softmax(logits[static_cast<std::size_t>(exit)][i], 1);
      for (int c = 0; c < kClasses; ++c) {
        double label = labels[i] == c ? 1 : 0;
        if (!others.empty()) label = label * shares[i] + (others[i] == c ? 1 : 0) * (1.0 - shares[i]);
        const double wanted = (1 - smoothing) * label + smoothing / kClasses;
        sum -= wanted * std::log(p[static_cast<std::size_t>(c)]);
      }
    }
    return sum / kClips;
  }
  double divergence(int exit, double temperature) const {
    Rows teacher;
    for (const std::vector<double>& row : logits.back()) teacher.push_back(softmax(row, temperature));
    return divergence_from(teacher, exit, temperature);
  }
  double divergence_from(const Rows& teacher, int exit, double temperature) const {
    double sum = 0;
    for (std::size_t i = 0; i < kClips; ++i) {
      const std::vector<double>& q = teacher[i];
      const std::vector<double> p = softmax(logits[static_cast<std::size_t>(exit)][i], temperature);
      for (std::size_t c = 0; c < kClasses; ++c)
        if (q[c] > 0) sum += q[c] * std::log(q[c] / p[c]);
    }
    return temperature * temperature * sum / kClips;
  }
};

Recipe undistilled() {
  Recipe recipe;
  recipe.loss.distillation = 0;
  return recipe;
}

ExitLoss loss_of(const Recipe& recipe) { return {recipe, kExits, at::kCPU}; }

TEST(ExitLoss, IsEachExitsCrossEntropyWithoutMore) {
  const Case plain(false);
  const std::vector<at::Tensor> logits = plain.tensors();
  const ExitLoss::Value value = loss_of(undistilled())(logits, plain.targets());
  double sum = 0;
  for (int k = 0; k < kExits; ++k) {
    const auto i = static_cast<std::size_t>(k);
    EXPECT_NEAR(value.exits[i], plain.cross_entropy(k, 0), 1e-6) << k;
    // To the last bit what torch makes of labels.
    EXPECT_EQ(value.exits[i], at::cross_entropy_loss(logits[i], plain.targets().labels).item<double>());
    sum += value.exits[i];
  }
  EXPECT_DOUBLE_EQ(value.sum, sum);
  EXPECT_NEAR(value.total.item<double>(), sum, 1e-5);
}

TEST(ExitLoss, OfTheOnlyExitIsItsCrossEntropy) {
  const Case plain(false);
  Recipe recipe;
  recipe.loss.distillation = 0.5;
  const ExitLoss::Value value = ExitLoss(recipe, 1, at::kCPU)({plain.tensors().front()}, plain.targets());
  EXPECT_NEAR(value.sum, plain.cross_entropy(0, 0), 1e-6);
}

TEST(ExitLoss, SmoothsAndMixesLabels) {
  for (const double smoothing : {0.0, 0.1, 0.5}) {
    for (const bool mixed : {false, true}) {
      const Case with(mixed);
      Recipe recipe = undistilled();
      recipe.loss.label_smoothing = smoothing;
      const ExitLoss::Value value = loss_of(recipe)(with.tensors(), with.targets());
      for (int k = 0; k < kExits; ++k)
        EXPECT_NEAR(value.exits[static_cast<std::size_t>(k)], with.cross_entropy(k, smoothing), 1e-5)
            << smoothing << " " << mixed << " " << k;
    }
  }
}

TEST(ExitLoss, TheLastExitTeachesTheOthersAndLearnsNothingFromThem) {
  const Case with(true);
  for (const double temperature : {1.0, 3.5}) {
    Recipe recipe = undistilled();
    recipe.loss.distillation = 0.75;
    recipe.loss.temperature = temperature;
    recipe.loss.label_smoothing = 0.1;
    const std::vector<at::Tensor> logits = with.tensors();
    const ExitLoss::Value value = loss_of(recipe)(logits, with.targets());
    for (int k = 0; k < kExits; ++k) {
      double expected = with.cross_entropy(k, 0.1);
      if (k + 1 < kExits) expected = 0.25 * expected + 0.75 * with.divergence(k, temperature);
      EXPECT_NEAR(value.exits[static_cast<std::size_t>(k)], expected, 1e-5) << k;
    }
    value.total.backward();
    // The teacher's gradient is that of its own cross-entropy.
    const std::vector<at::Tensor> alone = with.tensors();
    recipe.loss.distillation = 0;
    loss_of(recipe)(alone, with.targets()).total.backward();
    EXPECT_TRUE(at::equal(logits.back().grad(), alone.back().grad()));
    EXPECT_FALSE(at::allclose(logits.front().grad(), alone.front().grad()));
  }
}

at::Tensor tensor_of(const Rows& rows) {
  std::vector<at::Tensor> parts;
  for (const auto& row : rows) parts.push_back(at::tensor(row, at::kFloat));
  return at::stack(parts);
}

TEST(ExitLoss, TeachersTeachEveryExitInPlaceOfTheLast) {
  const Case with(true);
  Rows teacher;
  for (const std::vector<double>& row : with.logits.front()) {
    teacher.push_back(softmax(row, 0.5));
    std::reverse(teacher.back().begin(), teacher.back().end());
  }
  teacher[1] = {0, 1, 0, 0};  // so sure that the rest is 0
  for (const double temperature : {1.0, 3.5}) {
    Recipe recipe = undistilled();
    recipe.loss.distillation = 0.75;
    recipe.loss.temperature = temperature;
    recipe.loss.label_smoothing = 0.1;
    const std::vector<at::Tensor> logits = with.tensors();
    Targets targets = with.targets();
    targets.teacher = tensor_of(teacher);
    const ExitLoss::Value value = loss_of(recipe)(logits, targets);
    for (int k = 0; k < kExits; ++k) {
      const double expected =
          0.25 * with.cross_entropy(k, 0.1) + 0.75 * with.divergence_from(teacher, k, temperature);
      EXPECT_NEAR(value.exits[static_cast<std::size_t>(k)], expected, 1e-5) << k;
    }
    value.total.backward();
    for (const at::Tensor& exit : logits) EXPECT_TRUE(at::isfinite(exit.grad()).all().item<bool>());
    // An only exit learns from them as well.
    const ExitLoss::Value only = ExitLoss(recipe, 1, at::kCPU)({logits[1]}, targets);
    EXPECT_DOUBLE_EQ(only.sum, value.exits[1]);
  }
}

TEST(ExitLoss, TeachersTeachTheLastExitAloneAndItTheOthers) {
  const Case with(true);
  Rows teacher;
  for (const std::vector<double>& row : with.logits.front()) {
    teacher.push_back(softmax(row, 0.5));
    std::reverse(teacher.back().begin(), teacher.back().end());
  }
  Recipe recipe = undistilled();
  recipe.loss.distillation = 0.75;
  recipe.loss.temperature = 2;
  recipe.loss.taught = TaughtExits::kLast;
  Targets targets = with.targets();
  const ExitLoss::Value alone = loss_of(recipe)(with.tensors(), targets);
  targets.teacher = tensor_of(teacher);
  const ExitLoss::Value value = loss_of(recipe)(with.tensors(), targets);
  for (std::size_t k = 0; k + 1 < kExits; ++k) EXPECT_EQ(value.exits[k], alone.exits[k]) << k;
  const int last = kExits - 1;
  EXPECT_NEAR(value.exits[last],
              0.25 * with.cross_entropy(last, 0) + 0.75 * with.divergence_from(teacher, last, 2), 1e-5);
  EXPECT_GT(std::abs(value.exits[last] - alone.exits[last]), 1e-3);
}

TEST(ExitLoss, APupilThatAnswersAsItsTeacherHasNothingToLearn) {
  const Case with(false);
  Recipe recipe = undistilled();
  recipe.loss.distillation = 1;
  const at::Tensor teacher = with.tensors().back();
  const at::Tensor pupil = teacher.detach().clone().set_requires_grad(true);
  const ExitLoss loss(recipe, 2, at::kCPU);
  const ExitLoss::Value value = loss({pupil, teacher}, with.targets());
  EXPECT_NEAR(value.exits[0], 0, 1e-6);
  value.total.backward();
  EXPECT_LT(pupil.grad().abs().max().item<float>(), 1e-6F);
}

TEST(ExitLoss, WeightsExitsByTheirDepthOrAsGiven) {
  const Case with(false);
  Recipe recipe = undistilled();
  recipe.loss.weighting = ExitWeighting::kLinear;
  EXPECT_EQ(loss_of(recipe).weights(), (std::vector<double>{0.5, 1, 1.5}));
  EXPECT_EQ(ExitLoss(recipe, 1, at::kCPU).weights(), std::vector<double>{1});
  const std::vector<at::Tensor> logits = with.tensors();
  const ExitLoss::Value value = loss_of(recipe)(logits, with.targets());
  EXPECT_NEAR(value.sum, 0.5 * value.exits[0] + value.exits[1] + 1.5 * value.exits[2], 1e-9);
  EXPECT_NEAR(value.total.item<double>(), value.sum, 1e-5);

  recipe.loss.weighting = ExitWeighting::kFixed;
  recipe.exit_weights = {0, 2, 0.25};
  EXPECT_EQ(loss_of(recipe).weights(), recipe.exit_weights);
  EXPECT_TRUE(loss_of(recipe).parameters().empty());
}

TEST(ExitLoss, LearnedWeightsHaveTheGradientOfTheirFormula) {
  const Case with(false);
  Recipe recipe = undistilled();
  recipe.loss.weighting = ExitWeighting::kLearned;
  const ExitLoss loss = loss_of(recipe);
  ASSERT_EQ(loss.parameters().size(), 1U);
  EXPECT_EQ(loss.weights(), (std::vector<double>{1, 1, 1}));
  const at::Tensor s = loss.parameters()[0].value;
  EXPECT_FALSE(loss.parameters()[0].binary);
  const std::vector<float> start{-0.5F, 0.25F, 1};
  {
    const at::NoGradGuard no_grad;
    s.copy_(at::tensor(start));
  }
  const std::vector<at::Tensor> logits = with.tensors();
  const ExitLoss::Value value = loss(logits, with.targets());
  value.total.backward();
  double sum = 0;
  for (std::size_t k = 0; k < kExits; ++k) {
    const double weight = std::exp(-double{start[k]});
    EXPECT_NEAR(loss.weights()[k], weight, 1e-9);
    sum += weight * value.exits[k] + start[k] / 2;
    EXPECT_NEAR(s.grad()[static_cast<std::int64_t>(k)].item<double>(), 0.5 - weight * value.exits[k], 1e-5);
    // Exits learn in proportion to their weights.
    const at::Tensor alone = logits[k].detach().clone().set_requires_grad(true);
    at::cross_entropy_loss(alone, with.targets().labels).backward();
    EXPECT_TRUE(at::allclose(logits[k].grad(), alone.grad() * weight, 1e-5, 1e-7));
  }
  EXPECT_NEAR(value.sum, sum, 1e-5);
  EXPECT_NEAR(value.total.item<double>(), sum, 1e-5);
}

}  // namespace
}  // namespace bittern::training
