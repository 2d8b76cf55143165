#include "training/pooling.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include "training/portable.h"
#include "training/saved_attributes.h"
#include "training/sliding_window.h"
#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

constexpr std::int64_t kSlice = 4096;  // elements of a pixel (clips x channels) for one thread at a time

at::Tensor output_of(const at::Tensor& x, const SlidingWindow& window) {
  return at::zeros({window.out_time(), window.out_frequency(), x.size(2), x.size(3)}, x.options());
}

// f(begin, end) for slices of a pixel's elements: every thread has places of its own in all pixels.
template <class Function>
void for_slices(const at::Tensor& x, const Function& f) {
  at::parallel_for(0, x.size(2) * x.size(3), kSlice, f);
}

BITTERN_VECTORISED void take_larger(const float* __restrict x, float* __restrict best,
                                    std::uint8_t* __restrict winner, std::uint8_t tap, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    const bool larger = x[i] > best[i];
    best[i] = larger ? x[i] : best[i];
    winner[i] = larger ? tap : winner[i];
  }
}

BITTERN_VECTORISED void add_where(const float* __restrict dy, const std::uint8_t* __restrict winner,
                                  std::uint8_t tap, float* __restrict dx, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) dx[i] += winner[i] == tap ? dy[i] : 0.0F;
}

BITTERN_VECTORISED void add_scaled(const float* __restrict x, float factor, float* __restrict y,
                                   std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) y[i] += x[i] * factor;
}

struct MaxPool : Function<MaxPool> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const graph::MaxPool* pool) {
    const SlidingWindow window = window_of(x, *pool);
    at::Tensor y = output_of(x, window);
    const at::Tensor winners = at::empty(y.sizes(), at::kByte);
    const std::int64_t pixel = x.size(2) * x.size(3);
    for_slices(x, [&](std::int64_t begin, std::int64_t end) {
      std::int64_t latest = -1;
      window.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
        const float* from = x.data_ptr<float>() + in * pixel + begin;
        float* best = y.data_ptr<float>() + out * pixel + begin;
        std::uint8_t* winner = winners.data_ptr<std::uint8_t>() + out * pixel + begin;
        if (out == latest) {
          take_larger(from, best, winner, static_cast<std::uint8_t>(tap), end - begin);
        } else {
          std::copy_n(from, end - begin, best);
          std::fill_n(winner, end - begin, static_cast<std::uint8_t>(tap));
        }
        latest = out;
      });
    });
    context->save_for_backward({winners});
    save_attributes(context, pool);
    context->saved_data["sizes"] = x.sizes().vec();
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor winners = context->get_saved_variables()[0];
    const auto& pool = saved_attributes<graph::MaxPool>(context);
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::zeros(context->saved_data["sizes"].toIntVector(), dy.options());
    const std::int64_t pixel = dx.size(2) * dx.size(3);
    const SlidingWindow window = window_of(dx, pool);
    for_slices(dx, [&](std::int64_t begin, std::int64_t end) {
      window.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
        add_where(dy.data_ptr<float>() + out * pixel + begin,
                  winners.data_ptr<std::uint8_t>() + out * pixel + begin, static_cast<std::uint8_t>(tap),
                  dx.data_ptr<float>() + in * pixel + begin, end - begin);
      });
    });
    return {dx, at::Tensor()};
  }
};

// 1 / pixels inside the input, per output pixel.
std::vector<float> shares(const SlidingWindow& window) {
  std::vector<float> count(static_cast<std::size_t>(window.out_time()) *
                           static_cast<std::size_t>(window.out_frequency()));
  window.each_tap([&](std::int64_t out, int, std::int64_t) { count[static_cast<std::size_t>(out)] += 1.0F; });
  for (float& value : count) value = 1.0F / value;
  return count;
}

struct AveragePool : Function<AveragePool> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const graph::AvgPool* pool) {
    const SlidingWindow window = window_of(x, *pool);
    const std::vector<float> share = shares(window);
    at::Tensor y = output_of(x, window);
    const std::int64_t pixel = x.size(2) * x.size(3);
    for_slices(x, [&](std::int64_t begin, std::int64_t end) {
      window.each_tap([&](std::int64_t out, int, std::int64_t in) {
        add_scaled(x.data_ptr<float>() + in * pixel + begin, share[static_cast<std::size_t>(out)],
                   y.data_ptr<float>() + out * pixel + begin, end - begin);
      });
    });
    save_attributes(context, pool);
    context->saved_data["sizes"] = x.sizes().vec();
    return y;
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto& pool = saved_attributes<graph::AvgPool>(context);
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dx = at::zeros(context->saved_data["sizes"].toIntVector(), dy.options());
    const SlidingWindow window = window_of(dx, pool);
    const std::vector<float> share = shares(window);
    const std::int64_t pixel = dx.size(2) * dx.size(3);
    for_slices(dx, [&](std::int64_t begin, std::int64_t end) {
      window.each_tap([&](std::int64_t out, int, std::int64_t in) {
        add_scaled(dy.data_ptr<float>() + out * pixel + begin, share[static_cast<std::size_t>(out)],
                   dx.data_ptr<float>() + in * pixel + begin, end - begin);
      });
    });
    return {dx, at::Tensor()};
  }
};

}  // namespace

at::Tensor max_pool(const at::Tensor& x, const graph::MaxPool& pool) {
  constexpr int kMostTaps = std::numeric_limits<std::uint8_t>::max() + 1;  // that a winner's byte can name
  const bool own = x.is_cpu() && pool.kernel.time * pool.kernel.frequency <= kMostTaps;
  return own ? MaxPool::apply(x.contiguous(), &pool) : portable::max_pool(x, pool);
}

at::Tensor average_pool(const at::Tensor& x, const graph::AvgPool& pool) {
  return x.is_cpu() ? AveragePool::apply(x.contiguous(), &pool) : portable::average_pool(x, pool);
}

}  // namespace bittern::training
