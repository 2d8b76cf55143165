#include "training/quantizers.h"

#include <cmath>
#include <cstdint>

#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Loops of one pass; torch would need one for each operation.
constexpr std::int64_t kChunk = 1 << 16;

// y[i] = f(x[i], y[i]) on contiguous CPU tensors.
template <class Function>
void update(const at::Tensor& x, const at::Tensor& y, const Function& f) {
  const float* from = x.data_ptr<float>();
  float* to = y.data_ptr<float>();
  at::parallel_for(0, y.numel(), kChunk, [=](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) to[i] = f(from[i], to[i]);
  });
}

// Both write over `dy`.
at::Tensor ste_gradient(const at::Tensor& x, const at::Tensor& dy, float clip) {
  if (!x.is_cpu()) return dy * (x.abs() <= clip);
  update(x, dy, [clip](float value, float gradient) { return std::abs(value) <= clip ? gradient : 0.0F; });
  return dy;
}

at::Tensor approx_gradient(const at::Tensor& x, const at::Tensor& dy) {
  if (!x.is_cpu()) return dy * (2 - 2 * x.abs()) * (x.abs() <= 1);
  update(x, dy, [](float value, float gradient) {
    const float size = std::abs(value);
    return size <= 1.0F ? gradient * (2.0F - 2.0F * size) : 0.0F;
  });
  return dy;
}

struct SteSign : Function<SteSign> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, double clip) {
    const at::Tensor x = input.contiguous();
    context->save_for_backward({x});
    context->saved_data["clip"] = clip;
    return bittern::training::sign(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {ste_gradient(context->get_saved_variables()[0], gradients[0].clone(at::MemoryFormat::Contiguous),
                         static_cast<float>(context->saved_data["clip"].toDouble())),
            at::Tensor()};
  }
};

struct ApproxSign : Function<ApproxSign> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input) {
    const at::Tensor x = input.contiguous();
    context->save_for_backward({x});
    return bittern::training::sign(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {
        approx_gradient(context->get_saved_variables()[0], gradients[0].clone(at::MemoryFormat::Contiguous))};
  }
};

}  // namespace

at::Tensor ste_sign(const at::Tensor& x, float clip) { return SteSign::apply(x, static_cast<double>(clip)); }

at::Tensor approx_sign(const at::Tensor& x) { return ApproxSign::apply(x); }

at::Tensor magnitude(const at::Tensor& w) { return w.detach().abs().reshape({-1, w.size(-1)}).mean(0); }

namespace {

// Exact: x and its rounding are so close that their difference is a float.
at::Tensor rounded(const at::Tensor& x) { return x + (at::round(x) - x).detach(); }

}  // namespace

at::Tensor int8_levels(const at::Tensor& x, const graph::Int8Input& input) {
  return rounded(at::clamp(x * input.scale, -input.zero, 255 - input.zero));
}

at::Tensor int8_steps(const at::Tensor& w) {
  constexpr double kLeast = 1e-20;  // of weights that are all 0
  return w.detach().abs().reshape({-1, w.size(-1)}).amax(0).div(127).clamp_min(kLeast);
}

at::Tensor int8_kernel(const at::Tensor& w, const at::Tensor& steps) {
  return rounded(w / steps);  // the largest may be an ulp above 127, which rounds to 127
}

at::Tensor sign(const at::Tensor& x) {
  if (!x.is_cpu()) return at::where(x < 0, -at::ones_like(x), at::ones_like(x));
  at::Tensor y = at::empty(x.sizes(), x.options().requires_grad(false));
  update(x.contiguous(), y, [](float value, float) { return value < 0.0F ? -1.0F : 1.0F; });
  return y;
}

}  // namespace bittern::training
