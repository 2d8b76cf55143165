// Matrix products against three loops.
#include "training/matrix_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "core/random.h"

namespace bittern::training {
namespace {

std::vector<float> numbers(Random& random, std::int64_t count) {
  std::vector<float> result(static_cast<std::size_t>(count));
  // Few enough bits that products are exact in bf16 and sums in float32.
  for (float& value : result) value = static_cast<float>(random.below(17)) / 4.0F - 2.0F;
  return result;
}

std::vector<Bf16> rounded(const std::vector<float>& values) {
  std::vector<Bf16> result;
  for (const float value : values) result.push_back(to_bf16(value));
  return result;
}

TEST(MatrixProduct, EqualsThreeLoops) {
  Random random({1});
  for (int turn = 0; turn < 32; ++turn) {
    MatrixProduct::Shape shape;
    shape.rows = 1 + static_cast<std::int64_t>(random.below(40));
    shape.inner = 1 + static_cast<std::int64_t>(random.below(70));
    shape.columns = 1 + static_cast<std::int64_t>(random.below(40));
    shape.left_transposed = turn % 2 != 0;
    shape.right_transposed = turn / 2 % 2 != 0;
    shape.add = turn / 4 % 2 != 0;
    const std::vector<float> left = numbers(random, shape.rows * shape.inner);
    const std::vector<float> right = numbers(random, shape.inner * shape.columns);
    const std::vector<float> before = numbers(random, shape.rows * shape.columns);
    std::vector<float> expected = before;
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      for (std::int64_t j = 0; j < shape.columns; ++j) {
        float sum = shape.add ? before[static_cast<std::size_t>(i * shape.columns + j)] : 0.0F;
        for (std::int64_t k = 0; k < shape.inner; ++k) {
          const auto a =
              static_cast<std::size_t>(shape.left_transposed ? k * shape.rows + i : i * shape.inner + k);
          const auto b =
              static_cast<std::size_t>(shape.right_transposed ? j * shape.inner + k : k * shape.columns + j);
          sum += left[a] * right[b];
        }
        expected[static_cast<std::size_t>(i * shape.columns + j)] = sum;
      }
    }
    std::vector<float> result = before;
    MatrixProduct(shape, false)(left.data(), right.data(), result.data());
    EXPECT_EQ(result, expected) << "turn " << turn;
    if (!has_bf16()) continue;
    result = before;
    MatrixProduct(shape, true)(rounded(left).data(), rounded(right).data(), result.data());
    EXPECT_EQ(result, expected) << "bf16, turn " << turn;
  }
}

template <class T>
void expect_packed(const MatrixProduct::Shape& shape, const std::vector<T>& left, const std::vector<T>& right,
                   const std::vector<float>& expected) {
  MatrixProduct::Shape packed_shape = shape;
  packed_shape.right_packed = true;
  const MatrixProduct product(packed_shape, std::is_same_v<T, Bf16>);
  std::vector<T> packed(static_cast<std::size_t>(product.packed_size()));
  ASSERT_GE(packed.size(), right.size());
  product.pack_right(right.data(), packed.data());
  std::vector<float> result(expected.size());
  product(left.data(), packed.data(), result.data());
  EXPECT_EQ(result, expected);
  if (!product.packs_panels_of_pairs()) return;
  ASSERT_EQ(packed.size(), right.size());
  constexpr std::int64_t kPanel = MatrixProduct::kPanel;
  for (std::int64_t row = 0; row < shape.inner; ++row) {
    for (std::int64_t column = 0; column < shape.columns; ++column) {
      const std::int64_t place =
          ((column / kPanel * (shape.inner / 2) + row / 2) * kPanel + column % kPanel) * 2 + row % 2;
      EXPECT_EQ(packed[static_cast<std::size_t>(place)],
                right[static_cast<std::size_t>(row * shape.columns + column)]);
    }
  }
}

TEST(MatrixProduct, TakesItsRightSideInTheOrderItPacks) {
  Random random({2});
  for (const std::int64_t inner : {1, 30, 32, 96}) {
    for (const std::int64_t columns : {1, 40, 64, 192}) {
      const MatrixProduct::Shape shape{.rows = 24, .inner = inner, .columns = columns};
      const std::vector<float> left = numbers(random, shape.rows * inner);
      const std::vector<float> right = numbers(random, inner * columns);
      std::vector<float> expected(static_cast<std::size_t>(shape.rows * columns));
      MatrixProduct(shape, false)(left.data(), right.data(), expected.data());
      expect_packed(shape, left, right, expected);
      if (has_bf16()) expect_packed(shape, rounded(left), rounded(right), expected);
    }
  }
}

TEST(Bf16, RoundsToTheNearestEven) {
  EXPECT_EQ(to_float(to_bf16(1.0F)), 1.0F);
  EXPECT_EQ(to_float(to_bf16(1.0F + 1.0F / 256)), 1.0F);               // a tie, down to even
  EXPECT_EQ(to_float(to_bf16(1.0F + 3.0F / 256)), 1.0F + 4.0F / 256);  // a tie, up to even
  EXPECT_EQ(to_float(to_bf16(-1.0F - 1.5F / 256)), -1.0F - 2.0F / 256);
  EXPECT_EQ(to_float(to_bf16(std::numeric_limits<float>::max())), std::numeric_limits<float>::infinity());
  EXPECT_TRUE(std::isnan(to_float(to_bf16(std::numeric_limits<float>::quiet_NaN()))));
}

}  // namespace
}  // namespace bittern::training
