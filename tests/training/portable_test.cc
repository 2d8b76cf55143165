// The trainer's own loops against the same layers from torch's operations: outputs and gradients, for random
// shapes. What a GPU would run is checked here on the CPU.
#include "training/portable.h"
#include "training/prelu.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <array>
#include <functional>
#include <vector>

#include "core/random.h"
#include "kernels/support.h"
#include "training/binary_convolution.h"
#include "training/bop.h"
#include "training/convolution.h"
#include "training/pooling.h"
#include "training/quantizers.h"
#include "training/threads.h"

namespace bittern::training {
namespace {

constexpr int kCases = 60;

using kernels::testing::between;

struct Case {
  int time, frequency, clips, channels;
  graph::Extent kernel, stride;
  graph::Padding padding;

  explicit Case(Random& random) {
    kernel = {between(random, 1, 4), between(random, 1, 4)};
    stride = {between(random, 1, 3), between(random, 1, 3)};
    padding = random.below(2) == 0 ? graph::Padding::kSame : graph::Padding::kValid;
    time = between(random, kernel.time, kernel.time + 7);
    frequency = between(random, kernel.frequency, kernel.frequency + 7);
    clips = between(random, 1, 4);
    channels = between(random, 1, 6);
  }
  std::vector<std::int64_t> sizes() const { return {time, frequency, clips, channels}; }
};

using Layer = std::function<at::Tensor(const at::Tensor& x, const at::Tensor& kernel)>;

void expect_same(const Layer& own, const Layer& portable, const at::Tensor& x, const at::Tensor& kernel) {
  const at::Tensor x1 = x.clone().set_requires_grad(true), x2 = x.clone().set_requires_grad(true);
  const at::Tensor k1 = kernel.clone().set_requires_grad(true), k2 = kernel.clone().set_requires_grad(true);
  const at::Tensor y1 = own(x1, k1), y2 = portable(x2, k2);
  ASSERT_EQ(y1.sizes(), y2.sizes());
  EXPECT_TRUE(at::allclose(y1, y2, 1e-4, 1e-4));
  const at::Tensor dy = at::randn(y1.sizes());
  y1.backward(dy);
  y2.backward(dy);
  EXPECT_TRUE(at::allclose(x1.grad(), x2.grad(), 1e-4, 1e-4));
  ASSERT_EQ(k1.grad().defined(), k2.grad().defined());
  if (k1.grad().defined()) {
    EXPECT_TRUE(at::allclose(k1.grad(), k2.grad(), 1e-4, 1e-3));
  }
}

class Portable : public ::testing::Test {
 protected:
  void SetUp() override { at::manual_seed(7); }
  Random random_{11};
};

TEST_F(Portable, BinaryConvolution) {
  for (int i = 0; i < kCases; ++i) {
    const Case shape(random_);
    graph::BinaryConv2d op;
    op.kernel = shape.kernel;
    op.stride = random_.below(2) == 0 ? graph::Extent{1, 1} : shape.stride;
    op.padding = shape.padding;
    op.pad_value = random_.below(2) == 0 ? graph::BinaryPadding::kOne : graph::BinaryPadding::kZero;
    op.out_channels = between(random_, 1, 140);  // narrow outputs are unfolded, wide ones are not
    op.input_quantizer = random_.below(2) == 0 ? graph::Quantizer::kApproxSign : graph::Quantizer::kSteSign;
    const at::Tensor kernel = training::sign(
        at::randn({std::int64_t{op.kernel.time} * op.kernel.frequency, shape.channels, op.out_channels}));
    expect_same(
        [&](const at::Tensor& x, const at::Tensor& k) { return binary_convolution(x, k, op); },
        [&](const at::Tensor& x, const at::Tensor& k) { return portable::binary_convolution(x, k, op); },
        at::randn(shape.sizes()), kernel);
  }
}

TEST_F(Portable, Convolution) {
  for (int i = 0; i < kCases; ++i) {
    const Case shape(random_);
    graph::Conv2d op;
    op.kernel = shape.kernel;
    op.stride = shape.stride;
    op.padding = shape.padding;
    op.groups = random_.below(2) == 0 ? shape.channels : 1;
    op.out_channels = op.groups * between(random_, 1, 3);
    const at::Tensor kernel =
        at::randn({op.kernel.time, op.kernel.frequency, shape.channels / op.groups, op.out_channels});
    expect_same([&](const at::Tensor& x, const at::Tensor& k) { return convolution(x, k, {}, op); },
                [&](const at::Tensor& x, const at::Tensor& k) { return portable::convolution(x, k, op); },
                at::randn(shape.sizes()), kernel);
  }
}

// Groups of MeliusNet's sizes, which have loops of their own, of others, and of one output.
TEST_F(Portable, GroupedConvolution) {
  const int threads = at::get_num_threads();
  set_threads(3);
  constexpr std::array<std::array<int, 2>, 6> kSizes = {{{8, 8}, {4, 8}, {8, 4}, {16, 32}, {3, 5}, {5, 1}}};
  for (int i = 0; i < kCases; ++i) {
    const Case shape(random_);
    const auto [in, out] = kSizes[random_.below(kSizes.size())];
    graph::Conv2d op;
    op.kernel = shape.kernel;
    op.stride = shape.stride;
    op.padding = shape.padding;
    op.groups = between(random_, 2, 4);
    op.out_channels = op.groups * out;
    std::vector<std::int64_t> sizes = shape.sizes();
    sizes.back() = std::int64_t{op.groups} * in;
    sizes[2] = between(random_, 1, 40);  // also more than one thread takes
    const at::Tensor kernel = at::randn({op.kernel.time, op.kernel.frequency, in, op.out_channels});
    expect_same([&](const at::Tensor& x, const at::Tensor& k) { return convolution(x, k, {}, op); },
                [&](const at::Tensor& x, const at::Tensor& k) { return portable::convolution(x, k, op); },
                at::randn(sizes), kernel);
  }
  set_threads(threads);
}

TEST_F(Portable, Pools) {
  for (int i = 0; i < kCases; ++i) {
    const Case shape(random_);
    const graph::MaxPool most{shape.kernel, shape.stride, shape.padding};
    const graph::AvgPool mean{shape.kernel, shape.stride, shape.padding};
    const at::Tensor x = at::randn(shape.sizes());
    const at::Tensor none = at::zeros({1});
    expect_same([&](const at::Tensor& v, const at::Tensor&) { return max_pool(v, most); },
                [&](const at::Tensor& v, const at::Tensor&) { return portable::max_pool(v, most); }, x, none);
    expect_same([&](const at::Tensor& v, const at::Tensor&) { return average_pool(v, mean); },
                [&](const at::Tensor& v, const at::Tensor&) { return portable::average_pool(v, mean); }, x,
                none);
  }
}

TEST_F(Portable, BatchNorm) {
  for (int i = 0; i < kCases; ++i) {
    const int rows = between(random_, 2, 1500);
    const int channels = between(random_, 1, 9);
    BatchNormSettings settings;
    settings.relu_first = random_.below(2) == 0;
    const at::Tensor beta = at::randn({channels});
    const auto state = [&](const at::Tensor& gamma) {
      return BatchNormState{gamma, beta, at::zeros({channels}), at::ones({channels})};
    };
    expect_same(
        [&](const at::Tensor& x, const at::Tensor& gamma) { return batch_norm(x, state(gamma), settings); },
        [&](const at::Tensor& x, const at::Tensor& gamma) {
          return portable::batch_norm(x, gamma, beta, settings).y;
        },
        at::randn({rows, channels}), at::randn({channels}));
  }
}

TEST_F(Portable, Prelu) {
  for (int i = 0; i < kCases; ++i) {
    const std::int64_t channels = between(random_, 1, 9);
    expect_same([](const at::Tensor& x, const at::Tensor& slope) { return training::prelu(x, slope); },
                [](const at::Tensor& x, const at::Tensor& slope) { return portable::prelu(x, slope); },
                at::randn({between(random_, 1, 5), between(random_, 2, 400), channels}),
                at::randn({channels}));
  }
}

std::span<float> values(const at::Tensor& x) {
  return {x.data_ptr<float>(), static_cast<std::size_t>(x.numel())};
}

TEST_F(Portable, Bop) {
  const at::Tensor weights = training::sign(at::randn({1000}));
  const at::Tensor averages = at::randn({1000}) * 1e-6;
  const at::Tensor gradients = at::randn({1000});
  const at::Tensor before = weights.clone();
  const at::Tensor own_weights = weights.clone(), own_averages = averages.clone();
  bop_step(values(own_weights), values(gradients), values(own_averages), 1e-4F, 1e-5F);
  portable::bop_step(weights, gradients, averages, 1e-4F, 1e-5F);
  EXPECT_TRUE(at::equal(weights, own_weights));
  EXPECT_TRUE(at::allclose(averages, own_averages, 1e-6, 1e-12));
  EXPECT_GT(weights.ne(before).sum().item<std::int64_t>(), 0);  // some flipped
  EXPECT_GT(weights.eq(before).sum().item<std::int64_t>(), 0);
}

TEST_F(Portable, Adam) {
  const at::Tensor weights = at::randn({1000});
  const at::Tensor first = at::zeros({1000}), second = at::zeros({1000});
  const at::Tensor own_weights = weights.clone(), own_first = first.clone(), own_second = second.clone();
  for (int step = 1; step <= 5; ++step) {
    const at::Tensor gradients = at::randn({1000});
    adam_step(values(own_weights), values(gradients), values(own_first), values(own_second), {}, step);
    portable::adam_step(weights, gradients, first, second, {}, step);
  }
  EXPECT_TRUE(at::allclose(weights, own_weights, 1e-5, 1e-6));
  EXPECT_TRUE(at::allclose(second, own_second, 1e-5, 1e-9));
}

}  // namespace
}  // namespace bittern::training
