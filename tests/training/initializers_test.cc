// Starting kernels against Keras's formulas.
#include "training/initializers.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace bittern::training {
namespace {

using graph::Initializer;

constexpr std::size_t kCount = 200000;

std::vector<float> kernel_of(Initializer initializer, Fans fans, std::uint64_t seed = 1) {
  std::vector<float> kernel(kCount);
  Random random{seed};
  initialize(kernel, initializer, fans, random);
  return kernel;
}

struct Moments {
  double mean = 0, deviation = 0, kurtosis = 0, most = 0;
};
Moments moments_of(const std::vector<float>& values) {
  Moments moments;
  const auto count = static_cast<double>(values.size());
  for (const float value : values) moments.mean += static_cast<double>(value) / count;
  double second = 0, fourth = 0;
  for (const float value : values) {
    const double x = static_cast<double>(value) - moments.mean;
    second += x * x / count;
    fourth += x * x * x * x / count;
    moments.most = std::max(moments.most, std::abs(static_cast<double>(value)));
  }
  moments.deviation = std::sqrt(second);
  moments.kurtosis = fourth / (second * second);
  return moments;
}

// Of a standard normal truncated at +-2: E[x^4] / E[x^2]^2, by E[x^n] = (n - 1) E[x^(n-2)] - 2 p(2) 2^(n-1) /
// P.
constexpr double kTruncatedKurtosis = 2.3655;

void expect_truncated_normal(const std::vector<float>& kernel, double deviation) {
  const Moments moments = moments_of(kernel);
  // Five deviations of each estimate over 200,000 draws.
  EXPECT_NEAR(moments.mean, 0, 5 * deviation / std::sqrt(kCount));
  EXPECT_NEAR(moments.deviation / deviation, 1, 0.007);
  EXPECT_NEAR(moments.kurtosis, kTruncatedKurtosis, 0.03);
  const double bound = 2 * deviation / 0.87962566103423978;
  EXPECT_LE(moments.most, bound * 1.000001);
  EXPECT_GT(moments.most, bound * 0.9998);  // is reached: nothing is cut earlier
}

TEST(Initializers, NormalsAreTruncatedAtTwoDeviationsAndWidenedAgain) {
  for (const Fans fans : {Fans{9, 576}, Fans{144, 288}, Fans{4608, 4608}}) {
    expect_truncated_normal(kernel_of(Initializer::kGlorotNormal, fans), std::sqrt(2 / (fans.in + fans.out)));
    expect_truncated_normal(kernel_of(Initializer::kHeNormal, fans), std::sqrt(2 / fans.in));
  }
}

TEST(Initializers, GlorotUniformFillsItsRange) {
  for (const Fans fans : {Fans{9, 576}, Fans{512, 12}}) {
    const Moments moments = moments_of(kernel_of(Initializer::kGlorotUniform, fans));
    const double limit = std::sqrt(6 / (fans.in + fans.out));
    EXPECT_NEAR(moments.mean, 0, 5 * limit / std::sqrt(3 * kCount));
    EXPECT_NEAR(moments.deviation, limit / std::sqrt(3), limit * 0.005);
    EXPECT_NEAR(moments.kurtosis, 1.8, 0.02);
    EXPECT_LE(moments.most, limit * 1.000001);
    EXPECT_GT(moments.most, limit * 0.9999);
  }
}

TEST(Initializers, BlurIsTheOuterProductForEveryChannelAndKeepsTheMean) {
  constexpr float kExpected[9] = {1, 2, 1, 2, 4, 2, 1, 2, 1};
  for (const std::size_t channels : {std::size_t{1}, std::size_t{5}, std::size_t{64}}) {
    std::vector<float> kernel(9 * channels, 7.0F);
    Random random{1};
    initialize(kernel, Initializer::kBlur, {}, random);
    float sum = 0;
    for (std::size_t i = 0; i < kernel.size(); ++i) {
      EXPECT_EQ(kernel[i], kExpected[i / channels] / 16);
      sum += kernel[i];
    }
    EXPECT_EQ(sum, static_cast<float>(channels));
  }
}

TEST(Initializers, AreAFunctionOfTheirStream) {
  for (const Initializer initializer :
       {Initializer::kGlorotNormal, Initializer::kHeNormal, Initializer::kGlorotUniform}) {
    const std::vector<float> kernel = kernel_of(initializer, {100, 100}, 5);
    EXPECT_EQ(kernel, kernel_of(initializer, {100, 100}, 5));
    EXPECT_NE(kernel, kernel_of(initializer, {100, 100}, 6));
    // Scaled, not redrawn, for other fans.
    const std::vector<float> wider = kernel_of(initializer, {25, 25}, 5);
    for (std::size_t i = 0; i < 1000; ++i) EXPECT_NEAR(wider[i], 2 * kernel[i], 1e-6);
  }
}

// Keras: receptive field x the kernel's last two axes, [.., in, out].
TEST(Initializers, FansAreKerasOnes) {
  const auto expect = [](Fans fans, double in, double out) {
    EXPECT_EQ(fans.in, in);
    EXPECT_EQ(fans.out, out);
  };
  expect(fans_of(graph::Conv2d{.kernel = {3, 5}, .out_channels = 32}, 16), 15 * 16, 15 * 32);
  expect(fans_of(graph::Conv2d{.kernel = {1, 1}, .out_channels = 32}, 16), 16, 32);
  // Groups are separate convolutions of 32 / 4 inputs and 64 / 4 outputs.
  expect(fans_of(graph::Conv2d{.kernel = {3, 3}, .out_channels = 64, .groups = 4}, 32), 9 * 8, 9 * 16);
  // A depthwise kernel is [3, 3, channels, 1].
  expect(fans_of(graph::Conv2d{.kernel = {3, 3}, .out_channels = 16, .groups = 16}, 16), 9 * 16, 9);
  // With two outputs a channel it is [3, 3, channels, 2].
  expect(fans_of(graph::Conv2d{.kernel = {3, 3}, .out_channels = 32, .groups = 16}, 16), 9 * 16, 9 * 2);
  // One input channel is an ordinary convolution.
  expect(fans_of(graph::Conv2d{.kernel = {3, 3}, .out_channels = 16}, 1), 9, 9 * 16);
  expect(fans_of(graph::BinaryConv2d{.kernel = {3, 3}, .out_channels = 128}, 64), 9 * 64, 9 * 128);
}

}  // namespace
}  // namespace bittern::training
