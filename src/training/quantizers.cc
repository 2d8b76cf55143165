#include "training/quantizers.h"

#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor ste_gradient(const at::Tensor& x, const at::Tensor& dy, double clip) {
  return dy * (x.abs() <= clip);
}

at::Tensor approx_gradient(const at::Tensor& x, const at::Tensor& dy) {
  const at::Tensor size = x.abs();
  return dy * (2 - 2 * size) * (size <= 1);
}

struct SteSign : Function<SteSign> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double clip) {
    context->save_for_backward({x});
    context->saved_data["clip"] = clip;
    return bittern::training::sign(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {
        ste_gradient(context->get_saved_variables()[0], gradients[0], context->saved_data["clip"].toDouble()),
        at::Tensor()};
  }
};

struct ApproxSign : Function<ApproxSign> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    return bittern::training::sign(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {approx_gradient(context->get_saved_variables()[0], gradients[0])};
  }
};

}  // namespace

at::Tensor ste_sign(const at::Tensor& x, float clip) { return SteSign::apply(x, static_cast<double>(clip)); }

at::Tensor approx_sign(const at::Tensor& x) { return ApproxSign::apply(x); }

at::Tensor magnitude(const at::Tensor& w) { return w.detach().abs().reshape({-1, w.size(-1)}).mean(0); }

at::Tensor magnitude_aware_sign(const at::Tensor& w, float clip) { return ste_sign(w, clip) * magnitude(w); }

at::Tensor sign(const at::Tensor& x) { return at::where(x < 0, -at::ones_like(x), at::ones_like(x)); }

at::Tensor input_gradient(const at::Tensor& x, at::Tensor dy, graph::Quantizer quantizer, float clip) {
  return quantizer == graph::Quantizer::kApproxSign ? approx_gradient(x, dy) : ste_gradient(x, dy, clip);
}

}  // namespace bittern::training
