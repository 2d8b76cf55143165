// Matrix products by oneDNN, in float32 or on the bf16 units of a processor.
#pragma once

#include <cstdint>
#include <memory>

#include "training/bf16.h"

namespace bittern::training {

// Whether this processor multiplies bf16 numbers in hardware.
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
    bool add = false;               // result += left x right instead of =
    bool operator==(const Shape&) const = default;
  };

  // `bf16`: left and right are.
  MatrixProduct(const Shape& shape, bool bf16);
  ~MatrixProduct();
  MatrixProduct(MatrixProduct&&) noexcept;
  MatrixProduct& operator=(MatrixProduct&&) noexcept;

  // result: [rows, columns].
  void operator()(const float* left, const float* right, float* result) const;
  void operator()(const Bf16* left, const Bf16* right, float* result) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace bittern::training
