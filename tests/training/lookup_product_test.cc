// Sums by table lookup, to the bit, against products and sums of whole numbers.
#include "training/lookup_product.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/aligned.h"
#include "core/random.h"

namespace bittern::training {
namespace {

std::vector<float> numbers(Random& random, std::int64_t count) {
  std::vector<float> result(static_cast<std::size_t>(count));
  for (float& value : result) {
    const double size = std::pow(10.0, static_cast<double>(random.below(6)) - 3.0);
    value = static_cast<float>((random.uniform() - 0.5) * size);
    if (random.below(10) == 0) value = 0;
  }
  return result;
}

TEST(LookupBlocks, HoldEveryNumberAndFitSixteenBits) {
  for (std::int64_t length = 1; length < 700; ++length) {
    const LookupBlocks blocks(length);
    EXPECT_GE(blocks.blocks * blocks.block_length(), length);
    EXPECT_LT((blocks.blocks - 1) * blocks.block_length(), length) << "an empty block";
    EXPECT_LE(blocks.steps, LookupBlocks::kMostSteps);
    EXPECT_LE(blocks.block_length() * blocks.limit, INT16_MAX);
    EXPECT_GE(blocks.limit, 504);
  }
}

class LookupProduct : public testing::Test {
 protected:
  void SetUp() override {
    if (!has_lookups()) GTEST_SKIP() << "this processor has no AVX-512";
  }
};

// What add_lookups() adds to `sum` for a row of values and a column of signs.
float reference(const LookupBlocks& blocks, const float* values, const std::vector<int>& signs, float sum) {
  const auto length = static_cast<std::size_t>(blocks.length);
  const auto block = static_cast<std::size_t>(blocks.block_length());
  for (std::size_t first = 0; first < length; first += block) {
    const std::size_t end = std::min(first + block, length);
    float most = 0;
    for (std::size_t k = first; k < end; ++k) most = std::max(most, std::abs(values[k]));
    if (most < 1e-30F) continue;
    const auto limit = static_cast<float>(blocks.limit);
    int units = 0;
    for (std::size_t k = first; k < end; ++k)
      units += signs[k] * static_cast<int>(std::nearbyint(values[k] * (limit / most)));
    sum = std::fma(static_cast<float>(units), most / limit, sum);
  }
  return sum;
}

TEST_F(LookupProduct, EqualsProductsOfWholeNumbers) {
  Random random({8});
  for (int round = 0; round < 60; ++round) {
    const auto length = 1 + static_cast<std::int64_t>(random.below(300));
    const auto rows = 1 + static_cast<int>(random.below(LookupBlocks::kRows));
    const auto channels = 1 + static_cast<int>(random.below(LookupBlocks::kLanes));
    const auto vectors = 1 + static_cast<std::int64_t>(random.below(5));
    const LookupBlocks blocks(length);
    const std::vector<float> values = numbers(random, rows * length);
    AlignedBuffer<std::int16_t> tables(static_cast<std::size_t>(blocks.tables_size()));
    std::vector<float> scales(static_cast<std::size_t>(blocks.scales_size()));
    build_tables(blocks, values.data(), length, rows, tables.data(), scales.data());

    const std::int64_t stride = vectors * LookupBlocks::kLanes;
    std::vector<float> sums = numbers(random, LookupBlocks::kRows * stride);
    const std::vector<float> before = sums;
    std::vector<std::uint16_t> codes(static_cast<std::size_t>(vectors * blocks.codes_size()), 0x5555);
    std::vector<LookupVector> work;
    std::vector<std::vector<float>> columns;  // [length, channels] of each vector
    for (std::int64_t v = 0; v < vectors; ++v) {
      columns.push_back(numbers(random, length * channels));
      std::uint16_t* const own = codes.data() + v * blocks.codes_size();
      if (random.below(2) == 0) {
        std::vector<LaneBits> signs(static_cast<std::size_t>(length));
        for (std::int64_t k = 0; k < length; ++k) {
          LaneBits inside = 0;
          look_at(columns.back().data() + k * channels, channels, 0.01F, &signs[static_cast<std::size_t>(k)],
                  &inside);
          for (int c = 0; c < channels; ++c) {
            const float x = columns.back()[static_cast<std::size_t>(k * channels + c)];
            ASSERT_EQ((inside >> c) & 1U, std::abs(x) <= 0.01F ? 1U : 0U);
          }
        }
        column_codes(blocks, signs.data(), 1, own);
      } else {
        std::vector<float> along(columns.back().size());
        for (std::int64_t k = 0; k < length; ++k)
          for (int c = 0; c < channels; ++c)
            along[static_cast<std::size_t>(c * length + k)] =
                columns.back()[static_cast<std::size_t>(k * channels + c)];
        row_codes(blocks, along.data(), length, channels, own);
      }
      work.push_back({own, sums.data() + v * LookupBlocks::kLanes});
    }
    const int middle = blocks.blocks / 2;
    add_lookups(blocks, 0, middle, tables.data(), scales.data(), work.data(), vectors, stride);
    add_lookups(blocks, middle, blocks.blocks, tables.data(), scales.data(), work.data(), vectors, stride);
    for (std::int64_t v = 0; v < vectors; ++v) {
      for (int c = 0; c < channels; ++c) {
        std::vector<int> signs(static_cast<std::size_t>(length));
        for (std::int64_t k = 0; k < length; ++k)
          signs[static_cast<std::size_t>(k)] =
              columns[static_cast<std::size_t>(v)][static_cast<std::size_t>(k * channels + c)] < 0 ? -1 : 1;
        for (int row = 0; row < rows; ++row) {
          const auto at = static_cast<std::size_t>(row * stride + v * LookupBlocks::kLanes + c);
          ASSERT_EQ(sums[at], reference(blocks, values.data() + row * length, signs, before[at]))
              << length << " numbers, row " << row << ", channel " << c;
        }
      }
    }
  }
}

TEST_F(LookupProduct, KeepsWhatLiesInside) {
  Random random({10});
  for (int round = 0; round < 40; ++round) {
    const auto channels = 1 + static_cast<std::int64_t>(random.below(100));
    const std::vector<float> from = numbers(random, channels);
    std::vector<LaneBits> inside(static_cast<std::size_t>((channels + 31) / 32));
    for (LaneBits& word : inside) word = static_cast<LaneBits>(random.next());
    constexpr float kUntouched = 7;
    AlignedBuffer<float> to(static_cast<std::size_t>(channels) + 40);
    const std::size_t start = random.below(2) * random.below(17);
    for (float& value : to.span()) value = kUntouched;
    keep_inside(from.data(), inside.data(), channels, random.below(2) == 0, to.data() + start);
    for (std::size_t i = 0; i < to.size(); ++i) {
      const std::size_t c = i - start;
      const bool written = i >= start && c < static_cast<std::size_t>(channels);
      const float expected = !written ? kUntouched : ((inside[c / 32] >> (c % 32)) & 1U) != 0 ? from[c] : 0;
      ASSERT_EQ(to[i], expected) << channels << " channels, " << i;
    }
  }
}

TEST_F(LookupProduct, TurnsRowsIntoColumns) {
  Random random({9});
  for (int round = 0; round < 40; ++round) {
    const auto rows = 1 + static_cast<std::int64_t>(random.below(50));
    const auto columns = 1 + static_cast<std::int64_t>(random.below(50));
    const auto stride = columns + static_cast<std::int64_t>(random.below(5));
    const auto to_stride = rows + static_cast<std::int64_t>(random.below(5));
    const std::vector<float> from = numbers(random, rows * stride);
    constexpr float kUntouched = 7;
    std::vector<float> expected(static_cast<std::size_t>(columns * to_stride), kUntouched);
    for (std::int64_t r = 0; r < rows; ++r)
      for (std::int64_t c = 0; c < columns; ++c)
        expected[static_cast<std::size_t>(c * to_stride + r)] =
            from[static_cast<std::size_t>(r * stride + c)];
    std::vector<float> turned(expected.size(), kUntouched);
    turn(from.data(), stride, rows, columns, turned.data(), to_stride);
    EXPECT_EQ(turned, expected) << rows << " x " << columns;
  }
}

}  // namespace
}  // namespace bittern::training
