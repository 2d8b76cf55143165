// Pools and their gradients against loops over every window, for random shapes.
#include "training/pooling.h"

#include <gtest/gtest.h>
#include <torch/autograd.h>

#include <vector>

#include "core/random.h"
#include "kernels/support.h"

namespace bittern::training {
namespace {

using kernels::testing::between;

struct Case {
  int time, frequency, clips, channels;
  graph::Extent kernel, stride;
  graph::Padding padding;

  explicit Case(Random& random) {
    const bool large = random.below(20) == 0;  // more taps than a byte can name
    kernel = large ? graph::Extent{17, 16} : graph::Extent{between(random, 1, 4), between(random, 1, 4)};
    stride = {between(random, 1, 4), between(random, 1, 4)};
    padding = random.below(2) == 0 ? graph::Padding::kSame : graph::Padding::kValid;
    const bool whole = padding == graph::Padding::kValid;  // then a window must fit
    time = between(random, whole ? kernel.time : 1, kernel.time + 7);
    frequency = between(random, whole ? kernel.frequency : 1, kernel.frequency + 7);
    clips = between(random, 1, 3);
    channels = between(random, 1, 5);
  }
  template <class Pool>
  Pool pool() const {
    return {kernel, stride, padding};
  }
  // Few different values: windows have several largest.
  at::Tensor input(Random& random) const {
    const at::Tensor x = at::empty({time, frequency, clips, channels});
    for (std::int64_t i = 0; i < x.numel(); ++i)
      x.data_ptr<float>()[i] = static_cast<float>(between(random, -3, 3)) - 4.0F;  // below the padding's 0
    return x.set_requires_grad(true);
  }
  // The input pixels [time, frequency] of every output, in the order of taps.
  template <class Visit>
  void each_window(const Visit& visit) const {
    const graph::Window rows = graph::window(time, kernel.time, stride.time, padding);
    const graph::Window columns = graph::window(frequency, kernel.frequency, stride.frequency, padding);
    for (int t = 0; t < rows.output; ++t) {
      for (int f = 0; f < columns.output; ++f) {
        std::vector<std::pair<int, int>> pixels;
        for (int i = 0; i < kernel.time; ++i) {
          for (int j = 0; j < kernel.frequency; ++j) {
            const int from_t = t * stride.time - rows.before + i,
                      from_f = f * stride.frequency - columns.before + j;
            if (from_t >= 0 && from_t < time && from_f >= 0 && from_f < frequency)
              pixels.emplace_back(from_t, from_f);
          }
        }
        visit(t, f, pixels);
      }
    }
  }
  at::Tensor output() const {
    return at::zeros({graph::window(time, kernel.time, stride.time, padding).output,
                      graph::window(frequency, kernel.frequency, stride.frequency, padding).output, clips,
                      channels});
  }
};

template <class Body>
void for_cases(const Body& body) {
  for (std::uint64_t seed = 0; seed < 150; ++seed) {
    Random random{seed};
    const Case of(random);
    SCOPED_TRACE("seed " + std::to_string(seed) + ": " + std::to_string(of.time) + "x" +
                 std::to_string(of.frequency) + " kernel " + std::to_string(of.kernel.time) + "x" +
                 std::to_string(of.kernel.frequency) + " stride " + std::to_string(of.stride.time) + "x" +
                 std::to_string(of.stride.frequency));
    body(of, random);
    if (testing::Test::HasFailure()) return;
  }
}

TEST(Pooling, TheLargestPixelWinsAndTheFirstOfEqualsGetsTheGradient) {
  for_cases([](const Case& of, Random& random) {
    const auto pool = of.pool<graph::MaxPool>();
    const at::Tensor x = of.input(random);
    const at::Tensor y = max_pool(x, pool);
    at::Tensor expected = of.output(), gradient = at::zeros_like(x.detach());
    ASSERT_EQ(y.sizes(), expected.sizes());
    const at::Tensor dy = at::randint(-8, 9, y.sizes()).to(at::kFloat);
    const auto values = x.detach();
    auto from = values.accessor<float, 4>();
    auto to = expected.accessor<float, 4>(), back = gradient.accessor<float, 4>(),
         given = dy.accessor<float, 4>();
    of.each_window([&](int t, int f, const std::vector<std::pair<int, int>>& pixels) {
      for (int n = 0; n < of.clips; ++n) {
        for (int c = 0; c < of.channels; ++c) {
          auto best = pixels.front();
          for (const auto& pixel : pixels)
            if (from[pixel.first][pixel.second][n][c] > from[best.first][best.second][n][c]) best = pixel;
          to[t][f][n][c] = from[best.first][best.second][n][c];
          back[best.first][best.second][n][c] += given[t][f][n][c];
        }
      }
    });
    EXPECT_TRUE(at::equal(y.detach(), expected));
    y.backward(dy);
    EXPECT_TRUE(at::equal(x.grad(), gradient));  // sums of small integers: exact
  });
}

TEST(Pooling, AMeanIsOverThePixelsInsideOnly) {
  for_cases([](const Case& of, Random& random) {
    const auto pool = of.pool<graph::AvgPool>();
    const at::Tensor x = of.input(random);
    const at::Tensor y = average_pool(x, pool);
    at::Tensor expected = of.output(), gradient = at::zeros_like(x.detach());
    ASSERT_EQ(y.sizes(), expected.sizes());
    const at::Tensor dy = at::randn(y.sizes());
    const auto values = x.detach();
    auto from = values.accessor<float, 4>();
    auto to = expected.accessor<float, 4>(), back = gradient.accessor<float, 4>(),
         given = dy.accessor<float, 4>();
    of.each_window([&](int t, int f, const std::vector<std::pair<int, int>>& pixels) {
      const auto share = 1.0F / static_cast<float>(pixels.size());
      for (int n = 0; n < of.clips; ++n) {
        for (int c = 0; c < of.channels; ++c) {
          for (const auto& pixel : pixels) {
            to[t][f][n][c] += from[pixel.first][pixel.second][n][c] * share;
            back[pixel.first][pixel.second][n][c] += given[t][f][n][c] * share;
          }
        }
      }
    });
    EXPECT_TRUE(at::allclose(y.detach(), expected, 1e-5, 1e-5));
    y.backward(dy);
    EXPECT_TRUE(at::allclose(x.grad(), gradient, 1e-5, 1e-5));
  });
}

// Layouts that are no plain rows give the same.
TEST(Pooling, TakesTensorsInAnyStrides) {
  const at::Tensor x = at::randn({4, 7, 6, 3});
  const at::Tensor turned = x.permute({3, 2, 1, 0}).contiguous().permute({3, 2, 1, 0});
  ASSERT_FALSE(turned.is_contiguous());
  EXPECT_TRUE(at::equal(max_pool(x, {}), max_pool(turned, {})));
  EXPECT_TRUE(at::equal(average_pool(x, {}), average_pool(turned, {})));
}

}  // namespace
}  // namespace bittern::training
