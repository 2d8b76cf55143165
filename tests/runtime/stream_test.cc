// Rows at a time: how many are kept between two steps, and what that saves.
#include "runtime/stream.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "model/random_model.h"
#include "runtime/lower.h"
#include "runtime/networks.h"

namespace bittern::runtime {
namespace {

Step step(int input_rows, int rows, int kernel, int stride, int pad) {
  return {.name = {},
          .operation = CopyStep{},
          .input = {},
          .output = {},
          .input_rows = input_rows,
          .rows = rows,
          .kernel = kernel,
          .stride = stride,
          .pad = pad,
          .macs_per_row = {}};
}

const Buffer& find(const Plan& plan, const std::string& name) {
  const auto found = std::find_if(plan.buffers.begin(), plan.buffers.end(),
                                  [&](const Buffer& buffer) { return buffer.name == name && buffer.used(); });
  EXPECT_NE(found, plan.buffers.end()) << name;
  return *found;
}

TEST(RowsToKeep, AreTheWindowOfTheNextStep) {
  // A 7-row convolution of stride 2, then a pool of 3 rows and stride 2, as in BinaryDenseNet's stem.
  const std::vector<Step> stem{step(98, 49, 7, 2, 2), step(49, 25, 3, 2, 1)};
  EXPECT_EQ(rows_to_keep(stem, 1), (std::vector{3, 25}));
  EXPECT_EQ(rows_to_keep(stem, 2), (std::vector{5, 25}));
  EXPECT_EQ(rows_to_keep(stem, 25), (std::vector{49, 25}));
}

TEST(RowsToKeep, GrowTowardsTheInput) {
  const std::vector<Step> chain{step(40, 40, 1, 1, 0), step(40, 40, 3, 1, 1), step(40, 20, 2, 2, 0)};
  // One row of the last needs 2 of the second, those need 4 of the first.
  EXPECT_EQ(rows_to_keep(chain, 1), (std::vector{4, 2, 20}));
}

TEST(RowsToKeep, CoverRowsThatAWideStrideSkips) {
  const std::vector<Step> chain{step(30, 30, 1, 1, 0), step(30, 6, 2, 5, 0)};
  // Made in one call, rows 2 to 6 lie between the windows of outputs 0 and 1 or in the latter.
  EXPECT_EQ(rows_to_keep(chain, 1), (std::vector{5, 6}));
}

TEST(Tile, IsAllRowsWhereTheyFit) {
  std::vector<Buffer> buffers{{.name = {}, .time = 49, .rows = 49, .frequency = 32, .width = 64}};
  Group group;
  group.steps = {step(98, 49, 7, 2, 2), step(49, 25, 3, 2, 1)};
  group.steps[0].output = {0, 0, 64};
  choose_tile(group, buffers, std::size_t{49} * 32 * 64 * 4);
  EXPECT_EQ(group.tile, 25);
  EXPECT_EQ(buffers[0].rows, 49);
  choose_tile(group, buffers, std::size_t{5} * 32 * 64 * 4);
  EXPECT_EQ(group.tile, 2);
  EXPECT_EQ(buffers[0].rows, 5);
  choose_tile(group, buffers, 1);
  EXPECT_EQ(group.tile, 1);
  EXPECT_EQ(buffers[0].rows, 3);
}

TEST(Streaming, NeverHasTheStemOfBinaryDenseNetWholeInMemory) {
  const auto model = model::random_model(architecture("binarydensenet-28"), 1);
  const Plan plan = lower(*model, 98).value();
  const Buffer& stem = find(plan, "stem.bn");
  EXPECT_EQ(stem.full_bytes(), 49U * 32 * 64 * 4);
  EXPECT_EQ(stem.rows, 3);
  // 30 s: the same three rows.
  EXPECT_EQ(find(lower(*model, 2998).value(), "stem.bn").rows, 3);
}

// The end of a section is normed where it lies, a row at a time, and pooled from there.
TEST(Streaming, NormsTheEndOfASectionInPlace) {
  const auto model = model::random_model(architecture("binarydensenet-28"), 1);
  const Plan plan = lower(*model, 98).value();
  int norms = 0;
  for (const Group& group : plan.groups) {
    for (std::size_t i = 0; i < group.steps.size(); ++i) {
      if (!std::holds_alternative<AffineStep>(group.steps[i].operation)) continue;
      ++norms;
      EXPECT_EQ(group.steps[i].input, group.steps[i].output) << group.steps[i].name;
      EXPECT_EQ(i, 0U) << group.steps[i].name;
      EXPECT_GT(group.steps.size(), 1U) << group.steps[i].name;
      const Buffer& buffer = plan.buffers[static_cast<std::size_t>(group.steps[i].output.buffer)];
      EXPECT_EQ(buffer.rows, buffer.time);
    }
  }
  EXPECT_EQ(norms, 3);
}

TEST(Streaming, SavesMemoryInEveryArchitecture) {
  for (const graph::Architecture& known : graph::architectures()) {
    const auto model = model::random_model(architecture(std::string(known.name)), 1);
    const std::size_t streamed = lower(*model, 98).value().arena_bytes;
    const std::size_t whole = lower(*model, 98, {.stream = false}).value().arena_bytes;
    // QuickNetSmall's stem is hardly wider than the rings may be.
    const double most = known.name == "quicknet-small" ? 0.94 : 0.91;
    // Of Bittern's own, tensors behind the stem are small already, and rings may take more than they spare.
    if (known.name.starts_with("bittern-")) {
      EXPECT_LT(static_cast<double>(streamed), 1.07 * static_cast<double>(whole)) << known.name;
    } else {
      EXPECT_LT(static_cast<double>(streamed), most * static_cast<double>(whole)) << known.name;
    }
  }
}

TEST(Streaming, KeepsTheRingsOfAGroupWithinItsShareOfTheCache) {
  for (const graph::Architecture& known : graph::architectures()) {
    const auto model = model::random_model(architecture(std::string(known.name)), 1);
    const Plan plan = lower(*model, 98).value();
    for (const Group& group : plan.groups) {
      std::size_t rings = 0;
      for (std::size_t i = 0; i + 1 < group.steps.size(); ++i) {
        if (group.steps[i].output == group.steps[i].input) continue;  // in place: no ring
        rings += plan.buffers[static_cast<std::size_t>(group.steps[i].output.buffer)].bytes();
      }
      EXPECT_TRUE(rings <= kTileBytes || group.tile == 1) << known.name << ": " << group.steps.back().name;
      EXPECT_LE(rings, 128U * 1024) << known.name << ": " << group.steps.back().name;
    }
  }
}

}  // namespace
}  // namespace bittern::runtime
