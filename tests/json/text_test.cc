#include "json/text.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <limits>

namespace bittern::json {
namespace {

std::string complaint(const std::string& text) {
  const Expected<Json> read = parse(text, "here");
  return read.ok() ? std::string() : read.error().message;
}

TEST(JsonText, KeepsTheOrderOfKeysAndMendsNames) {
  EXPECT_EQ(text({{"b", 1}, {"a", {1, 2}}}), R"({"b":1,"a":[1,2]})");
  EXPECT_EQ(text({{"b", 1}}, 2), "{\n  \"b\": 1\n}");
  EXPECT_EQ(text("caf\xE9"), "\"caf\xEF\xBF\xBD\"");
}

TEST(JsonText, FloatsPrintAsTheyWereGiven) {
  EXPECT_EQ(text(shortest(0.1F)), "0.1");
  EXPECT_EQ(text(shortest(std::array{0.85F, 1.0F})), "[0.85,1.0]");
  for (const float value : {0.85F, 1e-30F, std::numeric_limits<float>::max(), -0.0F})
    EXPECT_EQ(static_cast<float>(shortest(value)), value);
}

TEST(JsonParse, ReadsJson) {
  const Expected<Json> read = parse(R"( {"b": [1, {"a": null}], "a": {"a": "x"}} )", "here");
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(text(*read), R"({"b":[1,{"a":null}],"a":{"a":"x"}})");
}

TEST(JsonParse, NamesTheLineThatIsWrong) {
  EXPECT_EQ(complaint("{\n\"a\": 1,\n\"b\" 2\n}\n"), "here: is not JSON: line 3");
  EXPECT_EQ(complaint(""), "here: is not JSON: line 1");
  EXPECT_EQ(complaint("{}\n}"), "here: is not JSON: line 2");
  EXPECT_EQ(complaint("{\"a\": NaN}"), "here: is not JSON: line 1");
  EXPECT_EQ(complaint("\"caf\xE9\""), "here: is not JSON: line 1");
  EXPECT_EQ(complaint("[1e999]"), "here: has a number that is out of range");
}

TEST(JsonParse, RefusesAKeyThatIsThereTwice) {
  EXPECT_EQ(complaint(R"({"a": 1, "b": 2, "a": 3})"), "here: 'a' is there twice");
  EXPECT_EQ(complaint(R"([{"a": 1}, {"b": {"a": 1, "c": 1, "c": 2}}])"), "here: 'c' is there twice");
  EXPECT_EQ(complaint(R"({"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]})"), "");
}

TEST(JsonParse, RefusesWhatIsNestedTooDeeply) {
  const auto nested = [](int levels) {
    return std::string(static_cast<std::size_t>(levels), '[') +
           std::string(static_cast<std::size_t>(levels), ']');
  };
  EXPECT_EQ(complaint(nested(kMostNested)), "");
  EXPECT_EQ(complaint(nested(kMostNested + 1)), "here: is nested more than 32 deep");
  EXPECT_EQ(complaint(nested(100000)), "here: is nested more than 32 deep");
}

TEST(JsonParse, AFileThatCannotBeReadIsNamed) {
  for (const std::filesystem::path& file :
       {std::filesystem::path("none/at/all.json"), std::filesystem::temp_directory_path()}) {
    const Expected<Json> read = read_file(file);
    ASSERT_FALSE(read.ok());
    EXPECT_EQ(read.error().code, ErrorCode::kNotFound);
    EXPECT_EQ(read.error().message, file.string() + ": cannot be read");
  }
}

}  // namespace
}  // namespace bittern::json
