#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/dump.h"
#include "model/editable_file.h"
#include "model/file.h"
#include "model/random_model.h"

namespace bittern::model {
namespace {

std::string contents(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

const std::filesystem::path kFolder = std::filesystem::path(BITTERN_SOURCE_DIR) / "tests/model/golden";

// Every released version: one file, kept for ever.
class Golden : public testing::TestWithParam<int> {};

TEST_P(Golden, StillReadsAsTheSameModel) {
  const std::string name = "v" + std::to_string(GetParam());
  const auto model = open(kFolder / (name + ".bittern"));
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(dump(**model), contents(kFolder / (name + ".txt")));
}

// The writer of today makes every version's file byte by byte: the oldest that has all of the model's layers.
TEST_P(Golden, IsWrittenWithTheSameBytes) {
  const auto path = kFolder / ("v" + std::to_string(GetParam()) + ".bittern");
  const auto model = open(path);
  ASSERT_TRUE(model.ok()) << model.error().message;
  const auto file = serialize(**model);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const std::string_view bytes(reinterpret_cast<const char*>(file->data()), file->size());
  EXPECT_TRUE(bytes == contents(path));
}

TEST(Version, IsTheOldestThatHasAllLayers) {
  const auto version_of = [](const char* architecture, std::optional<graph::ExitDense> dense = std::nullopt) {
    const graph::Network network =
        graph::build({.architecture = architecture, .classes = 3, .dense = dense}).value();
    return EditableFile(*random_model(network, 1)).header().format_major();
  };
  EXPECT_EQ(version_of("quicknet-small"), 1U);
  EXPECT_EQ(version_of("quicknet-small", graph::ExitDense::kFloat), 1U);
  EXPECT_EQ(version_of("bittern:c5x5s4x4-64x1-64x1"), 2U);
  EXPECT_EQ(version_of("quicknet-small", graph::ExitDense::kInt8), 3U);
  EXPECT_EQ(version_of("bittern:i5x8s4x4-64x1-64x1"), 3U);
}

INSTANTIATE_TEST_SUITE_P(Model, Golden, testing::Range(1, kFormatMajor + 1));

}  // namespace
}  // namespace bittern::model
