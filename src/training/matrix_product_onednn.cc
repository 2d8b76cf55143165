#include "training/matrix_product.h"

#include <oneapi/dnnl/dnnl.hpp>

namespace bittern::training {
namespace {

using Type = dnnl::memory::data_type;
using Tag = dnnl::memory::format_tag;

dnnl::memory::desc matrix(std::int64_t rows, std::int64_t columns, Type type, Tag order) {
  return {{rows, columns}, type, order};
}

Tag order(bool transposed) { return transposed ? Tag::ba : Tag::ab; }

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
      : type(bf16 ? Type::bf16 : Type::f32),
        left(matrix(shape.rows, shape.inner, type, order(shape.left_transposed))),
        plain_right(matrix(shape.inner, shape.columns, type, order(shape.right_transposed))),
        result(matrix(shape.rows, shape.columns, Type::f32, Tag::ab)),
        stream(processor()) {
    dnnl::primitive_attr attributes;
    if (shape.add) {
      dnnl::post_ops after;
      after.append_sum();
      attributes.set_post_ops(after);
    }
    const auto asked = shape.right_packed ? matrix(shape.inner, shape.columns, type, Tag::any) : plain_right;
    const dnnl::matmul::primitive_desc found({left, asked, result}, attributes, processor());
    right = found.weights_desc();
    product = dnnl::matmul(found);
  }

  void run(const void* a, const void* b, float* c) const {
    product.execute(stream, {{DNNL_ARG_SRC, memory(left, a)},
                             {DNNL_ARG_WEIGHTS, memory(right, b)},
                             {DNNL_ARG_DST, memory(result, c)}});
  }

  void pack(const void* from, void* to) const {
    dnnl::reorder(dnnl::reorder::primitive_desc(processor(), plain_right, processor(), right))
        .execute(stream, {{DNNL_ARG_FROM, memory(plain_right, from)}, {DNNL_ARG_TO, memory(right, to)}});
  }

  // oneDNN's memory objects are made for reading and writing alike.
  static dnnl::memory memory(const dnnl::memory::desc& desc, const void* data) {
    return {desc, processor(), const_cast<void*>(data)};
  }

  Type type;
  dnnl::memory::desc left;
  dnnl::memory::desc plain_right;
  dnnl::memory::desc right;
  dnnl::memory::desc result;
  dnnl::stream stream;
  dnnl::matmul product;
};

MatrixProduct::MatrixProduct(const Shape& shape, bool bf16) : impl_(std::make_unique<Impl>(shape, bf16)) {}
MatrixProduct::~MatrixProduct() = default;
MatrixProduct::MatrixProduct(MatrixProduct&&) noexcept = default;
MatrixProduct& MatrixProduct::operator=(MatrixProduct&&) noexcept = default;

std::int64_t MatrixProduct::packed_size() const {
  return static_cast<std::int64_t>(impl_->right.get_size() / dnnl::memory::data_type_size(impl_->type));
}

void MatrixProduct::pack_right(const float* right, float* packed) const { impl_->pack(right, packed); }
void MatrixProduct::pack_right(const Bf16* right, Bf16* packed) const { impl_->pack(right, packed); }

bool MatrixProduct::packs_panels_of_pairs() const {
  const auto sizes = impl_->right.dims();
  // oneDNN's order is [columns / 64][inner / 32][16][64][2], padded with zeros to whole blocks.
  return sizes[0] % 32 == 0 && sizes[1] % kPanel == 0 &&
         impl_->right == matrix(sizes[0], sizes[1], Type::bf16, Tag::BA16a64b2a);
}

void MatrixProduct::operator()(const float* left, const float* right, float* result) const {
  impl_->run(left, right, result);
}

void MatrixProduct::operator()(const Bf16* left, const Bf16* right, float* result) const {
  impl_->run(left, right, result);
}

}  // namespace bittern::training
