// Matrix products by oneDNN, in float32 or on the bf16 units of a processor; by torch where oneDNN cannot be
// linked.
#pragma once

#include <cstdint>
#include <memory>

#include "training/bf16.h"

namespace bittern::training {

// Whether this processor multiplies bf16 numbers in hardware, and this build makes it.
bool has_bf16();

// One product of matrices of given sizes, row-major and dense. Making one costs some microseconds, so keep it
// where it is used again. Sums are float32 in either case; their order is that of this machine and number of
// threads.
class MatrixProduct {
 public:
  struct Shape {
    std::int64_t rows = 0;
    std::int64_t inner = 0;
    std::int64_t columns = 0;
    bool left_transposed = false;   // left is [inner, rows]
    bool right_transposed = false;  // right is [columns, inner]
    bool right_packed = false;      // right is as pack_right() writes it
    bool add = false;               // result += left x right instead of =
    bool operator==(const Shape&) const = default;
  };

  // `bf16`: left and right are.
  MatrixProduct(const Shape& shape, bool bf16);
  ~MatrixProduct();
  MatrixProduct(MatrixProduct&&) noexcept;
  MatrixProduct& operator=(MatrixProduct&&) noexcept;

  // `right_packed` alone: the numbers a packed right has, and how one is made of [inner, columns]. Which
  // order that is depends on the processor, the shape and the build.
  std::int64_t packed_size() const;
  void pack_right(const float* right, float* packed) const;
  void pack_right(const Bf16* right, Bf16* packed) const;

  // Whether a packed right is [columns / kPanel][inner / 2][kPanel][2]: panels of columns, in them pairs of
  // rows, as processors take them that multiply two bf16 numbers in a lane. So one can be written in place.
  static constexpr std::int64_t kPanel = 64;
  bool packs_panels_of_pairs() const;

  // result: [rows, columns].
  void operator()(const float* left, const float* right, float* result) const;
  void operator()(const Bf16* left, const Bf16* right, float* result) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bittern::training
