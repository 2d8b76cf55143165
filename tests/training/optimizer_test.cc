// A whole step over a network's parameters: who trains what, with which rate.
#include "training/optimizer.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <algorithm>
#include <cmath>

#include <vector>

#include "core/random.h"
#include "training/adam.h"
#include "training/bop.h"
#include "training/schedule.h"

namespace bittern::training {
namespace {

constexpr std::int64_t kSteps = 10;

Parameter parameter(const char* name, const std::vector<float>& values, bool binary, float clip = 0) {
  return {name, at::tensor(values).set_requires_grad(true), binary, clip};
}

std::vector<float> values_of(const at::Tensor& x) {
  return {x.data_ptr<float>(), x.data_ptr<float>() + x.numel()};
}

void give_gradient(const Parameter& parameter, const std::vector<float>& gradient) {
  at::Tensor value = parameter.value;
  value.mutable_grad() = at::tensor(gradient);
}

std::vector<float> gradient_at(std::int64_t step, std::size_t count) {
  Random random{static_cast<std::uint64_t>(step)};
  std::vector<float> gradient(count);
  for (float& value : gradient) value = random.uniform(-1, 1);
  return gradient;
}

Recipe recipe(BinaryOptimizer optimizer) {
  Recipe recipe;
  recipe.binary_optimizer = optimizer;
  recipe.learning_rate = 0.5;
  recipe.bop_gamma = 0.5;
  recipe.bop_gamma_end = 0.1;
  recipe.bop_threshold = 0.05;
  return recipe;
}

TEST(Optimizer, AdamMovesFloatsFreelyAndLatentWeightsWithinTheirClip) {
  const Recipe with = recipe(BinaryOptimizer::kAdam);
  const std::vector<Parameter> parameters{parameter("bias", {1.2F, -0.2F, 3}, false),
                                          parameter("kernel", {1.2F, -0.2F, 0.9F}, true, 1.25F)};
  Optimizer optimizer(parameters, with, kSteps);
  std::vector<std::vector<float>> weights{values_of(parameters[0].value), values_of(parameters[1].value)};
  std::vector<std::vector<float>> first(2, std::vector<float>(3)), second = first;
  bool clipped = false;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const std::vector<float> gradient = gradient_at(step, 3);
    AdamSettings settings;
    settings.learning_rate = rate_at(Schedule::kCosine, 0.5, 0, step, kSteps);
    EXPECT_EQ(optimizer.learning_rate(step), settings.learning_rate);
    for (std::size_t i = 0; i < 2; ++i) {
      give_gradient(parameters[i], gradient);
      adam_step(weights[i], gradient, first[i], second[i], settings, step + 1);
    }
    for (float& weight : weights[1]) {
      clipped = clipped || std::abs(weight) > 1.25F;
      weight = std::clamp(weight, -1.25F, 1.25F);
    }
    optimizer.step(step);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(values_of(parameters[i].value), weights[i]) << "step " << step;
      EXPECT_FALSE(parameters[i].value.grad().defined());
    }
  }
  EXPECT_TRUE(clipped) << "the test clips nothing";
}

TEST(Optimizer, BopFlipsKernelsWithAFallingGammaAndAdamMovesTheRest) {
  const Recipe with = recipe(BinaryOptimizer::kBop);
  const std::vector<Parameter> parameters{parameter("kernel", {1, -1, 1, -1}, true, 1.25F),
                                          parameter("bias", {0, 0, 0, 0}, false)};
  Optimizer optimizer(parameters, with, kSteps);
  std::vector<float> kernel{1, -1, 1, -1}, averages(4);
  std::vector<float> bias(4), first(4), second(4);
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const std::vector<float> gradient = gradient_at(step + 100, 4);
    for (const Parameter& of : parameters) give_gradient(of, gradient);
    optimizer.step(step);
    const auto gamma = static_cast<float>(rate_at(Schedule::kCosine, 0.5, 0.1, step, kSteps));
    bop_step(kernel, gradient, averages, gamma, 0.05F);
    AdamSettings settings;
    settings.learning_rate = optimizer.learning_rate(step);
    adam_step(bias, gradient, first, second, settings, step + 1);
    EXPECT_EQ(values_of(parameters[0].value), kernel) << "step " << step;
    EXPECT_EQ(values_of(parameters[1].value), bias) << "step " << step;
  }
  EXPECT_NE(kernel, (std::vector<float>{1, -1, 1, -1})) << "the test flips nothing";
}

// Adam with a clip, then Bop from averages of 0; each stage with a warm-up and a cosine of its own.
TEST(Optimizer, TrainsAKernelThatIsRealFirstInTwoStages) {
  Recipe with = recipe(BinaryOptimizer::kBop);
  with.epochs = 5;
  with.float_epochs = 2;
  with.warmup_epochs = 0.5;
  with.bop_warmup_epochs = 1;
  with.bop_schedule = Schedule::kConstant;
  Parameter kernel = parameter("kernel", {1.2F, -0.2F, 0.9F, -0.7F}, true, 1.25F);
  kernel.real_first = true;
  std::vector<float> weights = values_of(kernel.value), first(4), second(4), averages(4);
  Optimizer optimizer({kernel}, with, 10);
  for (std::int64_t step = 0; step < 10; ++step) {
    const bool real = step < 4;
    if (step == 4) {
      for (float& weight : weights) weight = weight < 0 ? -1.0F : 1.0F;
      const at::NoGradGuard no_grad;
      kernel.value.copy_(at::tensor(weights));
      optimizer.begin_binary_stage(true);
    }
    const std::vector<float> gradient = gradient_at(step, 4);
    give_gradient(kernel, gradient);
    AdamSettings settings;
    settings.learning_rate = real ? rate_at(Schedule::kCosine, 0.5, 0, step, 4, 1)
                                  : rate_at(Schedule::kCosine, 0.5, 0, step - 4, 6, 1);
    EXPECT_DOUBLE_EQ(optimizer.learning_rate(step), settings.learning_rate) << step;
    optimizer.step(step);
    if (real) {
      adam_step(weights, gradient, first, second, settings, step + 1);
      clip_weights(weights, 1.25F);
    } else {
      const double gamma = rate_at(Schedule::kConstant, 0.5, 0.1, step - 4, 6, 2);
      bop_step(weights, gradient, averages, static_cast<float>(gamma), 0.05F);
    }
    EXPECT_EQ(values_of(kernel.value), weights) << step;
  }
}

TEST(Optimizer, LeavesAParameterWithoutAGradientAsItIs) {
  const std::vector<Parameter> parameters{parameter("used", {1}, false),
                                          parameter("unused", {1, -1}, true, 1)};
  for (const BinaryOptimizer binary : {BinaryOptimizer::kBop, BinaryOptimizer::kAdam}) {
    Optimizer optimizer(parameters, recipe(binary), kSteps);
    give_gradient(parameters[0], {1});
    optimizer.step(0);
    EXPECT_EQ(values_of(parameters[1].value), (std::vector<float>{1, -1}));
  }
  EXPECT_LT(parameters[0].value.item<float>(), 1);
}

TEST(Optimizer, KeepsItsAveragesUnderTheNamesOfTheirParameters) {
  const std::vector<Parameter> parameters{parameter("k", {1}, true, 1), parameter("b", {1}, false)};
  const auto names = [&](BinaryOptimizer binary) {
    const Optimizer optimizer(parameters, recipe(binary), kSteps);
    std::vector<std::string> list;
    for (const NamedTensor& tensor : optimizer.state()) {
      list.push_back(tensor.name);
      EXPECT_EQ(tensor.value.item<float>(), 0);
    }
    return list;
  };
  EXPECT_EQ(names(BinaryOptimizer::kBop),
            (std::vector<std::string>{"k.bop_average", "b.adam_first", "b.adam_second"}));
  EXPECT_EQ(names(BinaryOptimizer::kAdam),
            (std::vector<std::string>{"k.adam_first", "k.adam_second", "b.adam_first", "b.adam_second"}));
}

}  // namespace
}  // namespace bittern::training
