#include "training/weight_average.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "core/random.h"

namespace bittern::training {
namespace {

std::vector<float> values_of(const at::Tensor& x) {
  return {x.data_ptr<float>(), x.data_ptr<float>() + x.numel()};
}

TEST(WeightAverage, FollowsItsFormulaAndLeavesKernelsAlone) {
  constexpr double kDecay = 0.7;  // reached at step 20: 21 / 30
  const std::vector<Parameter> parameters{
      {.name = "gamma", .value = at::tensor({1.0F, -2.0F}).set_requires_grad(true)},
      {.name = "kernel", .value = at::tensor({1.0F, -1.0F}).set_requires_grad(true), .binary = true}};
  WeightAverage average(parameters, kDecay);
  ASSERT_EQ(average.state().size(), 1U);
  EXPECT_EQ(average.state()[0].name, "gamma.average");
  std::vector<double> expected{1, -2};
  Random random{3};
  for (int step = 0; step < 40; ++step) {
    const std::vector<float> values{random.uniform(-1, 1), random.uniform(-1, 1)};
    const double keep = std::min(kDecay, (1.0 + step) / (10.0 + step));
    for (std::size_t i = 0; i < 2; ++i) expected[i] = keep * expected[i] + (1 - keep) * values[i];
    {
      const at::NoGradGuard no_grad;
      parameters[0].value.copy_(at::tensor(values));
    }
    average.update(step);
    for (std::size_t i = 0; i < 2; ++i)
      ASSERT_NEAR(values_of(average.state()[0].value)[i], expected[i], 1e-5) << step;
    EXPECT_EQ(values_of(parameters[0].value), values) << "the parameters are not to change";
  }

  const std::vector<float> before = values_of(parameters[0].value);
  const std::vector<float> averages = values_of(average.state()[0].value);
  {
    const WeightAverage::Use use(average);
    EXPECT_EQ(values_of(parameters[0].value), averages);
    EXPECT_EQ(values_of(parameters[1].value), (std::vector<float>{1, -1}));
  }
  EXPECT_EQ(values_of(parameters[0].value), before);
  EXPECT_EQ(values_of(average.state()[0].value), averages);
}

TEST(WeightAverage, WithoutDecayIsTheParametersThemselves) {
  const std::vector<Parameter> parameters{{.name = "gamma", .value = at::tensor({1.0F})}};
  WeightAverage average(parameters, 0);
  average.update(0);
  EXPECT_TRUE(average.state().empty());
  const WeightAverage::Use use(average);
  EXPECT_EQ(values_of(parameters[0].value), std::vector<float>{1});
}

}  // namespace
}  // namespace bittern::training
