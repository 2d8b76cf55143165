#include "training/grouped_convolution.h"

#include "training/saved_attributes.h"
#include "training/sliding_window.h"
#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Sizes of one group, and how many there are.
struct Groups {
  std::int64_t count;
  std::int64_t in;
  std::int64_t out;
};

// y[n][g out + o] += sum over i of x[n][g in + i] kernel[i][g out + o]. Constants let compilers keep a group
// in registers; 0 stands for any size.
template <int kIn, int kOut>
[[gnu::always_inline]] inline void add_each_product(const float* __restrict x, const float* __restrict kernel,
                                                    float* __restrict y, std::int64_t clips, Groups groups) {
  const std::int64_t in = kIn == 0 ? groups.in : kIn;
  const std::int64_t out = kOut == 0 ? groups.out : kOut;
  const std::int64_t width = groups.count * out;
  for (std::int64_t n = 0; n < clips; ++n) {
    for (std::int64_t g = 0; g < groups.count; ++g, x += in, y += out)
      for (std::int64_t i = 0; i < in; ++i)
        for (std::int64_t o = 0; o < out; ++o) y[o] += x[i] * kernel[i * width + g * out + o];
  }
}

// dkernel[i][g out + o] += sum over n of x[n][g in + i] dy[n][g out + o].
template <int kIn, int kOut>
[[gnu::always_inline]] inline void add_each_dot(const float* __restrict x, const float* __restrict dy,
                                                float* __restrict dkernel, std::int64_t clips,
                                                Groups groups) {
  const std::int64_t width = groups.count * kOut;
  for (std::int64_t g = 0; g < groups.count; ++g) {
    float sums[kIn][kOut] = {};  // in registers
    for (std::int64_t n = 0; n < clips; ++n) {
      const float* const left = x + (n * groups.count + g) * kIn;
      const float* const right = dy + (n * groups.count + g) * kOut;
      for (int i = 0; i < kIn; ++i)
        for (int o = 0; o < kOut; ++o) sums[i][o] += left[i] * right[o];
    }
    for (int i = 0; i < kIn; ++i)
      for (int o = 0; o < kOut; ++o) dkernel[i * width + g * kOut + o] += sums[i][o];
  }
}

// The same for groups of any size.
[[gnu::always_inline]] inline void add_any_dots(const float* __restrict x, const float* __restrict dy,
                                                float* __restrict dkernel, std::int64_t clips,
                                                Groups groups) {
  const std::int64_t width = groups.count * groups.out;
  for (std::int64_t n = 0; n < clips; ++n) {
    for (std::int64_t g = 0; g < groups.count; ++g, x += groups.in, dy += groups.out)
      for (std::int64_t i = 0; i < groups.in; ++i)
        for (std::int64_t o = 0; o < groups.out; ++o) dkernel[i * width + g * groups.out + o] += x[i] * dy[o];
  }
}

BITTERN_VECTORISED void add_products(const float* x, const float* kernel, float* y, std::int64_t clips,
                                     Groups groups) {
  if (groups.in == 8 && groups.out == 8) {
    add_each_product<8, 8>(x, kernel, y, clips, groups);
  } else if (groups.in == 4 && groups.out == 8) {
    add_each_product<4, 8>(x, kernel, y, clips, groups);
  } else if (groups.in == 8 && groups.out == 4) {
    add_each_product<8, 4>(x, kernel, y, clips, groups);
  } else {
    add_each_product<0, 0>(x, kernel, y, clips, groups);
  }
}

BITTERN_VECTORISED void add_dots(const float* x, const float* dy, float* dkernel, std::int64_t clips,
                                 Groups groups) {
  if (groups.in == 8 && groups.out == 8) {
    add_each_dot<8, 8>(x, dy, dkernel, clips, groups);
  } else if (groups.in == 4 && groups.out == 8) {
    add_each_dot<4, 8>(x, dy, dkernel, clips, groups);
  } else {
    add_any_dots(x, dy, dkernel, clips, groups);
  }
}

// [taps, in, groups x out] -> [taps, out, groups x in]
at::Tensor transposed(const at::Tensor& kernel, Groups groups) {
  return kernel.reshape({-1, groups.in, groups.count, groups.out})
      .permute({0, 3, 2, 1})
      .reshape({-1, groups.out, groups.count * groups.in})
      .contiguous();
}

struct Grouped : Function<Grouped> {
  static Groups groups_of(const at::Tensor& kernel, const graph::Conv2d& attributes) {
    return {attributes.groups, kernel.size(1), kernel.size(2) / attributes.groups};
  }

  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& kernel,
                            const graph::Conv2d* attributes) {
    context->save_for_backward({x, kernel});
    save_attributes(context, attributes);
    const Groups groups = groups_of(kernel, *attributes);
    const SlidingWindow window = window_of(x, *attributes);
    const std::int64_t clips = x.size(2);
    const std::int64_t in = x.size(3);
    const std::int64_t out = kernel.size(2);
    at::Tensor y = at::zeros({window.out_time(), window.out_frequency(), clips, out}, x.options());
    at::parallel_for(0, clips, 8, [&](std::int64_t begin, std::int64_t end) {
      window.each_tap([&](std::int64_t to, int tap, std::int64_t from) {
        add_products(x.data_ptr<float>() + (from * clips + begin) * in,
                     kernel.data_ptr<float>() + tap * groups.in * out,
                     y.data_ptr<float>() + (to * clips + begin) * out, end - begin, groups);
      });
    });
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& kernel = saved[1];
    const auto& attributes = saved_attributes<graph::Conv2d>(context);
    const Groups groups = groups_of(kernel, attributes);
    const SlidingWindow window = window_of(x, attributes);
    const at::Tensor dy = gradients[0].contiguous();
    const std::int64_t clips = x.size(2);
    const std::int64_t in = x.size(3);
    const std::int64_t out = kernel.size(2);
    at::Tensor dx;
    if (context->needs_input_grad(0)) {
      dx = at::zeros_like(x);
      const at::Tensor turned = transposed(kernel, groups);
      const Groups back{groups.count, groups.out, groups.in};
      at::parallel_for(0, clips, 8, [&](std::int64_t begin, std::int64_t end) {
        window.each_tap([&](std::int64_t from, int tap, std::int64_t to) {
          add_products(dy.data_ptr<float>() + (from * clips + begin) * out,
                       turned.data_ptr<float>() + tap * groups.out * in,
                       dx.data_ptr<float>() + (to * clips + begin) * in, end - begin, back);
        });
      });
    }
    at::Tensor dkernel;
    if (context->needs_input_grad(1)) {
      dkernel = at::zeros_like(kernel);
      at::parallel_for(0, window.taps(), 1, [&](std::int64_t begin, std::int64_t end) {
        window.each_tap([&](std::int64_t to, int tap, std::int64_t from) {
          if (tap < begin || tap >= end) return;
          add_dots(x.data_ptr<float>() + from * clips * in, dy.data_ptr<float>() + to * clips * out,
                   dkernel.data_ptr<float>() + tap * groups.in * out, clips, groups);
        });
      });
    }
    return {dx, dkernel, at::Tensor()};
  }
};

}  // namespace

at::Tensor grouped_convolution(const at::Tensor& x, const at::Tensor& kernel,
                               const graph::Conv2d& attributes) {
  return Grouped::apply(x, kernel, &attributes);
}

}  // namespace bittern::training
