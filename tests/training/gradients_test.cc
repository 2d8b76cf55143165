// The gradients that training gives to signs and batch norms, against their formulas.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <cmath>
#include <limits>
#include <vector>

#include "core/random.h"
#include "training/batch_norm.h"
#include "training/binary_convolution.h"
#include "training/binary_gradients.h"
#include "training/quantizers.h"
#include "training/sliding_window.h"
#include "training/threads.h"
#include "training/tile_gradients.h"

namespace bittern::training {
namespace {

at::Tensor row(const std::vector<float>& values) {
  return at::tensor(values).clone().set_requires_grad(true);
}

std::vector<float> list(const at::Tensor& x) {
  const at::Tensor flat = x.contiguous().view(-1);
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

TEST(Quantizers, SteSignPassesTheGradientUpToItsClip) {
  const at::Tensor x = row({-2, -1.25F, -0.0F, 0, 0.5F, 1.25F, 1.3F});
  const at::Tensor y = ste_sign(x, 1.25F);
  EXPECT_EQ(list(y), (std::vector<float>{-1, -1, 1, 1, 1, 1, 1}));
  y.backward(at::tensor(std::vector<float>{1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(list(x.grad()), (std::vector<float>{0, 2, 3, 4, 5, 6, 0}));
}

TEST(Quantizers, ApproxSignHasATriangularGradient) {
  const at::Tensor x = row({-1.5F, -1, -0.5F, 0, 0.25F, 1});
  const at::Tensor y = approx_sign(x);
  EXPECT_EQ(list(y), (std::vector<float>{-1, -1, -1, 1, 1, 1}));
  y.backward(at::ones({6}));
  EXPECT_EQ(list(x.grad()), (std::vector<float>{0, 0, 1, 2, 1.5F, 0}));
}

TEST(Quantizers, MagnitudesScaleBothWaysPerOutput) {
  // Two taps and inputs in rows, two outputs in columns: magnitudes (0.5 + 1.5) / 2 = 1 and (0.25 + 0.75) / 2
  // = 0.5.
  const at::Tensor w =
      at::tensor(std::vector<float>{0.5F, -0.25F, -1.5F, 0.75F}).view({1, 2, 2}).set_requires_grad(true);
  const at::Tensor y = ste_sign(w, 1.0F) * magnitude(w);
  EXPECT_EQ(list(y), (std::vector<float>{1, -0.5F, -1, 0.5F}));
  y.backward(at::ones_like(y));
  EXPECT_EQ(list(w.grad()), (std::vector<float>{1, 0.5F, 0, 0.5F}));
}

TEST(Quantizers, Int8KernelsPassEveryGradient) {
  // Of 127 units a hundredth of the largest is 1.27: rounds to 1.
  for (const float largest : {1.0F, 0.3F, 0.7F, 1.7F, 3.3F, 1e-3F, 0.123F, 9.7F}) {
    const at::Tensor w = at::tensor(std::vector<float>{largest, -largest / 2, largest / 100, 0}).view({4, 1});
    const at::Tensor x = w.clone().set_requires_grad(true);
    const at::Tensor steps = int8_steps(x);
    const at::Tensor y = int8_kernel(x, steps);
    const std::vector<float> values = list(y);
    EXPECT_EQ(values[0], 127);
    EXPECT_NEAR(values[1], -63.5F, 0.5F);
    EXPECT_EQ(values[2], 1);
    EXPECT_EQ(values[3], 0);
    (y * steps).sum().backward();
    for (const float gradient : list(x.grad())) EXPECT_NEAR(gradient, 1, 1e-6F) << largest;
  }
}

TEST(Quantizers, Int8LevelsEndAtBothEndsAndRoundToEven) {
  const graph::Int8Input input{.scale = 2, .zero = 4};
  const at::Tensor x = row({-100, -2, -1.75F, -0.25F, 0.25F, 0.75F, 125.5F, 126});
  const at::Tensor y = int8_levels(x, input);
  EXPECT_EQ(list(y), (std::vector<float>{-4, -4, -4, 0, 0, 2, 251, 251}));
  y.sum().backward();
  EXPECT_EQ(list(x.grad()), (std::vector<float>{0, 2, 2, 2, 2, 2, 2, 0}));
}

TEST(BatchNorm, NormalisesByTheBiasedAndRemembersTheUnbiasedVariance) {
  BatchNormState state;
  state.mean = at::zeros({1});
  state.variance = at::ones({1});
  const at::Tensor x = at::tensor(std::vector<float>{1, 2, 3, 6}).view({4, 1});
  const at::Tensor y = batch_norm(x, state, {.epsilon = 0, .momentum = 0.9F});
  // Mean 3, biased variance 3.5, unbiased 14 / 3.
  EXPECT_NEAR(y[0][0].item<float>(), -2 / std::sqrt(3.5), 1e-6);
  EXPECT_NEAR(state.mean[0].item<float>(), 0.3, 1e-6);
  EXPECT_NEAR(state.variance[0].item<float>(), 0.9 + 0.1 * 14 / 3, 1e-6);
}

TEST(BatchNorm, HasTheGradientOfItsFormula) {
  BatchNormState state;
  state.gamma = at::tensor(std::vector<float>{0.5F, 2}).set_requires_grad(true);
  state.beta = at::tensor(std::vector<float>{0.1F, -0.3F}).set_requires_grad(true);
  state.mean = at::zeros({2});
  state.variance = at::ones({2});
  at::manual_seed(1);
  const at::Tensor x = at::randn({6, 2}).set_requires_grad(true);
  const at::Tensor dy = at::randn({6, 2});
  batch_norm(x, state, {}).backward(dy);

  const at::Tensor x2 = x.detach().clone().set_requires_grad(true);
  const at::Tensor gamma = state.gamma.detach().clone().set_requires_grad(true);
  const at::Tensor mean = x2.mean(0), variance = (x2 - mean).pow(2).mean(0);
  ((x2 - mean) / at::sqrt(variance + 1e-3) * gamma).backward(dy);
  EXPECT_TRUE(at::allclose(x.grad(), x2.grad(), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(state.gamma.grad(), gamma.grad(), 1e-4, 1e-5));
  EXPECT_TRUE(at::allclose(state.beta.grad(), dy.sum(0), 1e-4, 1e-5));
}

// In one pass what batch norm and mean do in two.
TEST(BatchNorm, PooledOverTimeIsTheMeanOfTheNorm) {
  for (const bool relu : {false, true}) {
    const BatchNormSettings settings{.relu_first = relu};
    at::manual_seed(3);
    const at::Tensor values = at::randn({7, 2, 5, 3});
    const at::Tensor dy = at::randn({5, 6});
    std::vector<at::Tensor> x, y;
    std::vector<BatchNormState> states;
    for (int turn = 0; turn < 2; ++turn) {
      BatchNormState state;
      state.gamma = at::tensor(std::vector<float>{0.5F, 2, -1}).set_requires_grad(true);
      state.beta = at::tensor(std::vector<float>{0.1F, -0.3F, 1}).set_requires_grad(true);
      state.mean = at::zeros({3});
      state.variance = at::ones({3});
      x.push_back(values.clone().set_requires_grad(true));
      y.push_back(turn == 0 ? time_pooled_batch_norm(x[0], state, settings)
                            : batch_norm(x[1], state, settings).mean(0).transpose(0, 1).reshape({5, 6}));
      y.back().backward(dy);
      states.push_back(state);
    }
    EXPECT_TRUE(at::allclose(y[0], y[1], 1e-5, 1e-6));
    EXPECT_TRUE(at::allclose(x[0].grad(), x[1].grad(), 1e-4, 1e-6));
    EXPECT_TRUE(at::allclose(states[0].gamma.grad(), states[1].gamma.grad(), 1e-4, 1e-5));
    EXPECT_TRUE(at::allclose(states[0].beta.grad(), states[1].beta.grad(), 1e-4, 1e-5));
    EXPECT_TRUE(at::equal(states[0].mean, states[1].mean));
    EXPECT_TRUE(at::equal(states[0].variance, states[1].variance));
  }
}

// [time, frequency, clips, channels] -> [clips, channels, time, frequency].
at::Tensor to_torch(const at::Tensor& x) { return x.permute({2, 3, 0, 1}); }

void expect_convolution(int time, int frequency, int stride, graph::BinaryPadding pad, int clips = 2,
                        int outputs = 5, Precision precision = Precision::kFp32, int inputs = 7) {
  graph::BinaryConv2d op;
  op.kernel = {3, 3};
  op.stride = {stride, stride};
  op.pad_value = pad;
  op.out_channels = outputs;
  at::manual_seed(2);
  const at::Tensor signs = at::sign(at::randn({time, frequency, clips, inputs})).set_requires_grad(true);
  const at::Tensor kernel = at::sign(at::randn({9, inputs, outputs})).set_requires_grad(true);
  const at::Tensor y = binary_convolution(signs, kernel, op, precision);
  const at::Tensor dy = at::randn_like(y);
  y.backward(dy);

  const at::Tensor x2 = to_torch(signs.detach()).contiguous().set_requires_grad(true);
  const at::Tensor k2 = kernel.detach().clone().set_requires_grad(true);
  const auto sides = [&](int input) {
    const graph::Window window = graph::window(input, 3, stride, graph::Padding::kSame);
    return std::pair<std::int64_t, std::int64_t>(window.before,
                                                 (window.output - 1) * stride + 3 - input - window.before);
  };
  const auto [top, bottom] = sides(time);
  const auto [left, right] = sides(frequency);
  const at::Tensor padded =
      at::constant_pad_nd(x2, {left, right, top, bottom}, pad == graph::BinaryPadding::kOne ? 1 : 0);
  const at::Tensor expected =
      at::conv2d(padded, k2.view({3, 3, inputs, outputs}).permute({3, 2, 0, 1}).contiguous(), {}, stride);
  EXPECT_TRUE(at::equal(to_torch(y), expected));
  expected.backward(to_torch(dy));
  // Numbers of magnitude 1 are added up: 9 x outputs of them for the input's gradient, as many as the output
  // has pixels for the kernel's. bf16 rounds each by up to 1 part in 512, int16 by half of a unit, which is 1
  // part in 504 of a number of magnitude 4: both at random.
  const double rounding = precision == Precision::kFp32 ? 1e-5 : 5.0 / 512;
  const double terms = double(y.numel()) / outputs;
  EXPECT_TRUE(at::allclose(to_torch(signs.grad()), x2.grad(), 0, rounding * std::sqrt(9.0 * outputs)));
  EXPECT_TRUE(at::allclose(kernel.grad(), k2.grad(), 0, rounding * std::sqrt(terms)));
}

TEST(BinaryConvolution, EqualsATextbookConvolutionForwardAndBackward) {
  for (const graph::BinaryPadding pad : {graph::BinaryPadding::kZero, graph::BinaryPadding::kOne}) {
    expect_convolution(5, 4, 1, pad);
    expect_convolution(3, 2, 1, pad);
    expect_convolution(7, 4, 2, pad);
    expect_convolution(7, 8, 3, pad);
    expect_convolution(1, 1, 1, pad);
  }
}

TEST(BinaryConvolution, InBf16RoundsNothingButTheGradientOfItsOutput) {
  if (!is_supported(Precision::kBf16)) GTEST_SKIP() << "this processor has no bf16";
  for (const graph::BinaryPadding pad : {graph::BinaryPadding::kZero, graph::BinaryPadding::kOne}) {
    expect_convolution(5, 4, 1, pad, 8, 32, Precision::kBf16);
    expect_convolution(7, 4, 2, pad, 8, 32, Precision::kBf16);
    // Whole panels of pairs, as a batch of usual size has them.
    expect_convolution(5, 4, 1, pad, 32, 64, Precision::kBf16);
    expect_convolution(7, 4, 2, pad, 64, 128, Precision::kBf16);
    // Sizes that fill nothing, and a kernel that does not stay in a cache.
    expect_convolution(5, 4, 1, pad, 2, 5, Precision::kBf16);
    expect_convolution(7, 8, 3, pad, 33, 40, Precision::kBf16, 70);
    expect_convolution(3, 2, 1, pad, 40, 512, Precision::kBf16, 512);
  }
}

TEST(BinaryConvolution, InInt16RoundsNothingButTheGradientOfItsOutput) {
  if (!is_supported(Precision::kInt16)) GTEST_SKIP() << "this processor has no AVX-512";
  for (const graph::BinaryPadding pad : {graph::BinaryPadding::kZero, graph::BinaryPadding::kOne}) {
    expect_convolution(5, 4, 1, pad, 2, 5, Precision::kInt16);
    expect_convolution(1, 1, 1, pad, 1, 1, Precision::kInt16);
    expect_convolution(7, 4, 2, pad, 9, 33, Precision::kInt16);
    expect_convolution(7, 8, 3, pad, 8, 64, Precision::kInt16);
    // A stride wider than the kernel leaves inputs that nobody reads.
    expect_convolution(9, 10, 4, pad, 3, 20, Precision::kInt16);
    // Several blocks of clips and of channels, and several vectors of inputs.
    expect_convolution(5, 4, 1, pad, 70, 130, Precision::kInt16, 100);
    expect_convolution(3, 2, 1, pad, 16, 530, Precision::kInt16, 300);
  }
}

// Quantizers, masks and sums of any size, against float32. What a clip cuts off is exactly 0.
TEST(BinaryConvolution, RoundedPassesGradientsThroughTheQuantizer) {
  std::vector<Precision> others = supported_precisions();
  std::erase(others, Precision::kFp32);
  if (others.empty()) GTEST_SKIP() << "this processor has neither bf16 nor AVX-512";
  Random random({12});
  const auto between = [&](std::uint64_t low, std::uint64_t high) {
    return static_cast<std::int64_t>(low + random.below(high - low + 1));
  };
  at::manual_seed(6);
  for (int round = 0; round < 60; ++round) {
    graph::BinaryConv2d op;
    op.input_quantizer = round % 2 == 0 ? graph::Quantizer::kApproxSign : graph::Quantizer::kSteSign;
    op.input_clip = round % 4 == 1 ? 1.25F : 1.0F;
    op.stride = random.below(3) == 0 ? graph::Extent{2, 2} : graph::Extent{1, 1};
    // The last ones have more than 2^20 inputs.
    const bool large = round >= 57;
    const std::int64_t inputs = large ? 300 : between(1, 300);
    const std::int64_t outputs = between(1, 80);
    const at::Tensor x = large ? at::randn({15, 12, 20, inputs})
                               : at::randn({between(1, 7), between(1, 7), between(1, 20), inputs});
    op.out_channels = static_cast<int>(outputs);
    const at::Tensor kernel = at::where(at::randn({9, inputs, outputs}) < 0, -at::ones({1}), at::ones({1}));
    const SlidingWindow window(x.size(0), x.size(1), op.kernel, op.stride, op.padding);
    const at::Tensor dy = at::randn({window.out_time(), window.out_frequency(), x.size(2), outputs});
    const BinaryGradients exact = binary_gradients(x, kernel, dy, op, Precision::kFp32);
    const Precision precision = others[random.below(others.size())];
    const BinaryGradients rounded = binary_gradients(x, kernel, dy, op, precision);
    EXPECT_EQ(at::logical_and(x.abs() > op.input_clip, rounded.input != 0).sum().item<std::int64_t>(), 0);
    // ApproxSign doubles what passes near 0.
    const double factor = op.input_quantizer == graph::Quantizer::kApproxSign ? 10.0 / 512 : 5.0 / 512;
    EXPECT_TRUE(at::allclose(rounded.input, exact.input, 0, factor * std::sqrt(9.0 * double(outputs))));
    const double terms = double(dy.numel()) / double(outputs);
    EXPECT_TRUE(at::allclose(rounded.kernel, exact.kernel, 0, 5.0 / 512 * std::sqrt(terms)));
  }
}

// Sums of lookups and of tiles have one order.
TEST(BinaryConvolution, RoundedHasTheSameBitsWithAnyNumberOfThreads) {
  std::vector<Precision> precisions;
  if (is_supported(Precision::kInt16)) precisions.push_back(Precision::kInt16);
  if (has_tiles()) precisions.push_back(Precision::kBf16);
  if (precisions.empty()) GTEST_SKIP() << "this processor has neither AVX-512 nor tiles";
  graph::BinaryConv2d op;
  op.out_channels = 40;
  at::manual_seed(4);
  const at::Tensor x = at::randn({6, 5, 20, 70});
  const at::Tensor kernel = at::sign(at::randn({9, 70, 40}));
  const at::Tensor dy = at::randn({6, 5, 20, 40});
  const int threads = at::get_num_threads();
  for (const Precision precision : precisions) {
    set_threads(1);
    const BinaryGradients one = binary_gradients(x, kernel, dy, op, precision);
    set_threads(3);
    const BinaryGradients three = binary_gradients(x, kernel, dy, op, precision);
    EXPECT_TRUE(at::equal(one.input, three.input)) << name(precision);
    EXPECT_TRUE(at::equal(one.kernel, three.kernel)) << name(precision);
  }
  set_threads(threads);
}

// A block has the scale of its largest number: small gradients beside huge ones of other clips keep theirs,
// and what is not finite does not become a number.
TEST(BinaryConvolution, InInt16KeepsSmallBlocksAndShowsWhatIsNotFinite) {
  if (!is_supported(Precision::kInt16)) GTEST_SKIP() << "this processor has no AVX-512";
  graph::BinaryConv2d op;
  op.kernel = {1, 1};
  op.out_channels = 10;
  at::manual_seed(5);
  const at::Tensor x = at::sign(at::randn({1, 1, 4, 8}));
  const at::Tensor kernel = at::sign(at::randn({1, 8, 10}));
  at::Tensor dy = at::randn({1, 1, 4, 10});
  dy.select(2, 0).mul_(1e20);
  dy.select(2, 1).mul_(1e-20);
  dy.select(2, 2).zero_();
  const BinaryGradients exact = binary_gradients(x, kernel, dy, op, Precision::kFp32);
  const BinaryGradients rounded = binary_gradients(x, kernel, dy, op, Precision::kInt16);
  for (int clip = 0; clip < 4; ++clip) {
    const at::Tensor expected = exact.input.select(2, clip);
    EXPECT_TRUE(at::allclose(rounded.input.select(2, clip), expected, 0,
                             1e-3 * dy.select(2, clip).abs().sum().item<double>()))
        << "clip " << clip;
  }
  for (const float bad : {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    at::Tensor spoilt = at::randn({1, 1, 4, 10});
    spoilt[0][0][3][7] = bad;
    const BinaryGradients result = binary_gradients(x, kernel, spoilt, op, Precision::kInt16);
    EXPECT_FALSE(at::isfinite(result.input.select(2, 3)).any().item<bool>());
    EXPECT_FALSE(at::isfinite(result.kernel.select(2, 7)).any().item<bool>());
    EXPECT_TRUE(at::isfinite(result.input.select(2, 0)).all().item<bool>());
  }
}

// A batch of real size: its gradient is unfolded in several pieces whose shares of the kernel's add up.
// Threads share it out too.
TEST(BinaryConvolution, EqualsATextbookConvolutionWhereABatchIsTakenInPieces) {
  const int threads = at::get_num_threads();
  set_threads(3);
  expect_convolution(16, 16, 1, graph::BinaryPadding::kOne, 64, 64);
  for (const Precision precision : {Precision::kBf16, Precision::kInt16})
    if (is_supported(precision)) expect_convolution(16, 16, 1, graph::BinaryPadding::kOne, 64, 64, precision);
  set_threads(threads);
}

}  // namespace
}  // namespace bittern::training
