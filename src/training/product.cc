#include "training/product.h"

#include "training/matrix_product.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

at::Tensor multiplied(const at::Tensor& left, const at::Tensor& right, MatrixProduct::Shape shape) {
  at::Tensor result = at::empty({shape.rows, shape.columns}, left.options().requires_grad(false));
  MatrixProduct(shape, false)(left.data_ptr<float>(), right.data_ptr<float>(), result.data_ptr<float>());
  return result;
}

// rows [n, in] x kernel [in, out]; both contiguous.
struct Product : Function<Product> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& rows, const at::Tensor& kernel) {
    context->save_for_backward({rows, kernel});
    return multiplied(rows, kernel, {rows.size(0), rows.size(1), kernel.size(1)});
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor dy = gradients[0].contiguous();
    const std::int64_t count = dy.size(0);
    const std::int64_t in = saved[1].size(0);
    const std::int64_t out = saved[1].size(1);
    variable_list result(2);
    if (context->needs_input_grad(0))
      result[0] =
          multiplied(dy, saved[1], {.rows = count, .inner = out, .columns = in, .right_transposed = true});
    if (context->needs_input_grad(1))
      result[1] =
          multiplied(saved[0], dy, {.rows = in, .inner = count, .columns = out, .left_transposed = true});
    return result;
  }
};

}  // namespace

at::Tensor product(const at::Tensor& rows, const at::Tensor& kernel) {
  return rows.is_cpu() ? Product::apply(rows.contiguous(), kernel.contiguous()) : at::mm(rows, kernel);
}

}  // namespace bittern::training
