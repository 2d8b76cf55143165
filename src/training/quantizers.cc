#include "training/quantizers.h"

#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor sign_of(const at::Tensor& x) { return at::where(x < 0, -at::ones_like(x), at::ones_like(x)); }

struct SteSign : Function<SteSign> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double clip) {
    context->save_for_backward({x.abs() <= clip});
    return sign_of(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {gradients[0] * context->get_saved_variables()[0], at::Tensor()};
  }
};

struct ApproxSign : Function<ApproxSign> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x) {
    context->save_for_backward({x});
    return sign_of(x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor size = context->get_saved_variables()[0].abs();
    return {gradients[0] * (2 - 2 * size) * (size <= 1)};
  }
};

}  // namespace

at::Tensor ste_sign(const at::Tensor& x, float clip) { return SteSign::apply(x, static_cast<double>(clip)); }

at::Tensor approx_sign(const at::Tensor& x) { return ApproxSign::apply(x); }

at::Tensor magnitude(const at::Tensor& w) { return w.detach().abs().reshape({-1, w.size(-1)}).mean(0); }

at::Tensor magnitude_aware_sign(const at::Tensor& w, float clip) { return ste_sign(w, clip) * magnitude(w); }

at::Tensor quantize_input(const at::Tensor& x, graph::Quantizer quantizer, float clip) {
  return quantizer == graph::Quantizer::kApproxSign ? approx_sign(x) : ste_sign(x, clip);
}

}  // namespace bittern::training
