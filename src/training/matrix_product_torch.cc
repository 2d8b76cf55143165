// Beside a libtorch with a oneDNN of its own inside, another oneDNN cannot be linked: code of both has the
// same names, and one calls the other's. Then products are torch's.
#include <algorithm>
#include <vector>

#include "training/matrix_product.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

// Torch takes no pointers to const; what is only read stays as it is.
at::Tensor view_of(const float* data, std::int64_t rows, std::int64_t columns) {
  return at::from_blob(const_cast<float*>(data), {rows, columns}, at::kFloat);
}

at::Tensor view_of(const float* data, std::int64_t rows, std::int64_t columns, bool transposed) {
  return transposed ? view_of(data, columns, rows).t() : view_of(data, rows, columns);
}

std::vector<float> widened(const Bf16* data, std::int64_t count) {
  std::vector<float> result(static_cast<std::size_t>(count));
  std::transform(data, data + count, result.begin(), to_float);
  return result;
}

}  // namespace

bool has_bf16() { return false; }  // torch rounds its results to bf16, too

struct MatrixProduct::Impl {
  Shape shape;
};

MatrixProduct::MatrixProduct(const Shape& shape, bool) : impl_(std::make_unique<Impl>(Impl{shape})) {}
MatrixProduct::~MatrixProduct() = default;
MatrixProduct::MatrixProduct(MatrixProduct&&) noexcept = default;
MatrixProduct& MatrixProduct::operator=(MatrixProduct&&) noexcept = default;

// Packed is as it was, but never transposed.
std::int64_t MatrixProduct::packed_size() const { return impl_->shape.inner * impl_->shape.columns; }

void MatrixProduct::pack_right(const float* right, float* packed) const {
  const Shape& shape = impl_->shape;
  view_of(packed, shape.inner, shape.columns)
      .copy_(view_of(right, shape.inner, shape.columns, shape.right_transposed));
}

void MatrixProduct::pack_right(const Bf16* right, Bf16* packed) const {
  const Shape& shape = impl_->shape;
  for (std::int64_t row = 0; row < shape.inner; ++row)
    for (std::int64_t column = 0; column < shape.columns; ++column)
      packed[row * shape.columns + column] =
          right[shape.right_transposed ? column * shape.inner + row : row * shape.columns + column];
}

bool MatrixProduct::packs_panels_of_pairs() const { return false; }

void MatrixProduct::operator()(const float* left, const float* right, float* result) const {
  const Shape& shape = impl_->shape;
  const at::Tensor a = view_of(left, shape.rows, shape.inner, shape.left_transposed);
  const at::Tensor b =
      view_of(right, shape.inner, shape.columns, shape.right_transposed && !shape.right_packed);
  at::Tensor c = view_of(result, shape.rows, shape.columns);
  if (shape.add)
    c.addmm_(a, b);
  else
    at::mm_out(c, a, b);
}

void MatrixProduct::operator()(const Bf16* left, const Bf16* right, float* result) const {
  const Shape& shape = impl_->shape;
  (*this)(widened(left, shape.rows * shape.inner).data(), widened(right, shape.inner * shape.columns).data(),
          result);
}

}  // namespace bittern::training
