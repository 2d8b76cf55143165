#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/dump.h"
#include "model/file.h"

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

INSTANTIATE_TEST_SUITE_P(Model, Golden, testing::Range(1, kFormatMajor + 1));

}  // namespace
}  // namespace bittern::model
