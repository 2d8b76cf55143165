#include "training/matrix_product.h"

#include <oneapi/dnnl/dnnl.hpp>

namespace bittern::training {
namespace {

using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

dnnl::memory::desc matrix(std::int64_t rows, std::int64_t columns, Type type, bool transposed) {
  return {{rows, columns}, type, transposed ? Tag::ba : Tag::ab};
}

const dnnl::engine& processor() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

}  // namespace

bool has_bf16() {
  const dnnl::cpu_isa isa = dnnl::get_effective_cpu_isa();
  return isa == dnnl::cpu_isa::avx512_core_bf16 || isa == dnnl::cpu_isa::avx512_core_amx;
}

struct MatrixProduct::Impl {
  Impl(const Shape& shape, bool bf16)
      : left(matrix(shape.rows, shape.inner, bf16 ? Type::bf16 : Type::f32, shape.left_transposed)),
        right(matrix(shape.inner, shape.columns, bf16 ? Type::bf16 : Type::f32, shape.right_transposed)),
        result(matrix(shape.rows, shape.columns, Type::f32, false)),
        stream(processor()) {
    dnnl::primitive_attr attributes;
    if (shape.add) {
      dnnl::post_ops after;
      after.append_sum();
      attributes.set_post_ops(after);
    }
    product = dnnl::matmul({{left, right, result}, attributes, processor()});
  }

  void run(const void* a, const void* b, float* c) const {
    // oneDNN's memory objects are made for reading and writing alike.
    product.execute(stream, {{DNNL_ARG_SRC, dnnl::memory(left, processor(), const_cast<void*>(a))},
                             {DNNL_ARG_WEIGHTS, dnnl::memory(right, processor(), const_cast<void*>(b))},
                             {DNNL_ARG_DST, dnnl::memory(result, processor(), c)}});
  }

  dnnl::memory::desc left;
  dnnl::memory::desc right;
  dnnl::memory::desc result;
  dnnl::stream stream;
  dnnl::matmul product;
};

MatrixProduct::MatrixProduct(const Shape& shape, bool bf16) : impl_(std::make_unique<Impl>(shape, bf16)) {}
MatrixProduct::~MatrixProduct() = default;
MatrixProduct::MatrixProduct(MatrixProduct&&) noexcept = default;
MatrixProduct& MatrixProduct::operator=(MatrixProduct&&) noexcept = default;

void MatrixProduct::operator()(const float* left, const float* right, float* result) const {
  impl_->run(left, right, result);
}

void MatrixProduct::operator()(const Bf16* left, const Bf16* right, float* result) const {
  impl_->run(left, right, result);
}

}  // namespace bittern::training
