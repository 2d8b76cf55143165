#include "json/object_reader.h"

#include <gtest/gtest.h>

namespace bittern::json {
namespace {

// What reading `text` as {"value": T} complains of; empty: nothing.
template <class T>
std::string complaint(const char* text, T value = {}) {
  const Json json = Json::parse(text);
  ObjectReader reader(json, "here");
  reader.required("value", value);
  const Status status = reader.finish();
  return status.ok() ? std::string() : status.error().message;
}

template <class T>
T value_of(const char* text) {
  const Json json = Json::parse(text);
  T value{};
  ObjectReader reader(json, "here");
  reader.required("value", value);
  EXPECT_TRUE(reader.finish().ok()) << text;
  return value;
}

TEST(ObjectReader, ReadsWhatIsAskedFor) {
  EXPECT_EQ(value_of<bool>(R"({"value": true})"), true);
  EXPECT_EQ(value_of<int>(R"({"value": -7})"), -7);
  EXPECT_EQ(value_of<std::uint64_t>(R"({"value": 18446744073709551615})"), 18446744073709551615U);
  EXPECT_EQ(value_of<float>(R"({"value": 0.1})"), 0.1F);
  EXPECT_EQ(value_of<double>(R"({"value": 3})"), 3.0);
  EXPECT_EQ(value_of<std::string>(R"({"value": "x"})"), "x");
  EXPECT_EQ(value_of<std::vector<int>>(R"({"value": [1, 2]})"), (std::vector<int>{1, 2}));
  EXPECT_EQ(value_of<std::vector<double>>(R"({"value": []})"), std::vector<double>());
  EXPECT_EQ(value_of<Json>(R"({"value": {"a": [1]}})").dump(), R"({"a":[1]})");
}

TEST(ObjectReader, TakesNothingForSomethingElse) {
  const std::string whole = "here: 'value' must be a whole number from -2147483648 to 2147483647";
  for (const char* text :
       {R"({"value": 1.5})", R"({"value": 1.0})", R"({"value": true})", R"({"value": "1"})",
        R"({"value": null})", R"({"value": [1]})", R"({"value": 2147483648})", R"({"value": -2147483649})",
        R"({"value": 18446744073709551615})"})
    EXPECT_EQ(complaint<int>(text), whole) << text;
  const std::string positive = "here: 'value' must be a whole number of 0 or more";
  EXPECT_EQ(complaint<std::uint64_t>(R"({"value": -1})"), positive);
  EXPECT_EQ(complaint<std::uint64_t>(R"({"value": 1e3})"), positive);
  EXPECT_EQ(complaint<std::int64_t>(R"({"value": 9223372036854775808})"),
            "here: 'value' must be a whole number");
  EXPECT_EQ(complaint<double>(R"({"value": "0.5"})"), "here: 'value' must be a number");
  EXPECT_EQ(complaint<double>(R"({"value": false})"), "here: 'value' must be a number");
  EXPECT_EQ(complaint<float>(R"({"value": 1e39})"),
            "here: 'value' must be a number of at most 3.4e38 in size");
  EXPECT_EQ(complaint<bool>(R"({"value": 1})"), "here: 'value' must be true or false");
  EXPECT_EQ(complaint<std::string>(R"({"value": 1})"), "here: 'value' must be a text");
  const std::string list = "here: 'value' must be a list, each of it a whole number of 0 or more";
  EXPECT_EQ(complaint<std::vector<std::uint64_t>>(R"({"value": [1, -1]})"), list);
  EXPECT_EQ(complaint<std::vector<std::uint64_t>>(R"({"value": 1})"), list);
}

TEST(ObjectReader, AValueThatIsRefusedStaysAsItWas) {
  const Json json = Json::parse(R"({"number": 1.5, "flag": 1})");
  int number = 3;
  bool flag = true;
  ObjectReader reader(json, "here");
  reader.required("number", number);
  reader.required("flag", flag);
  EXPECT_FALSE(reader.finish().ok());
  EXPECT_EQ(number, 3);
  EXPECT_TRUE(flag);
}

TEST(ObjectReader, NamesMissingAndUnknownKeys) {
  const Json json = Json::parse(R"({"known": 1, "more": 2})");
  int known = 0, other = 5;
  ObjectReader all(json, "here");
  all.required("known", known);
  all.optional("other", other);
  EXPECT_EQ(other, 5);
  EXPECT_EQ(all.finish().error().message, "here: unknown key 'more'");

  ObjectReader lacking(json, "here", ErrorCode::kCorrupt);
  lacking.required("known", known);
  lacking.optional("more", other);
  EXPECT_EQ(other, 2);
  lacking.required("other", other);
  EXPECT_EQ(lacking.finish().error().message, "here: 'other' is missing");
  EXPECT_EQ(lacking.finish().error().code, ErrorCode::kCorrupt);
}

TEST(ObjectReader, TellsTheFirstMistake) {
  const Json json = Json::parse(R"({"a": "x", "b": "y"})");
  int number = 0;
  ObjectReader reader(json, "here");
  reader.required("none", number);
  reader.required("a", number);
  EXPECT_EQ(reader.finish().error().message, "here: 'none' is missing");
}

TEST(ObjectReader, WantsAnObject) {
  for (const char* text : {"[]", "1", "null", R"("a")", "[[1]]"})
    EXPECT_EQ(complaint<int>(text), "here: must be an object") << text;
}

}  // namespace
}  // namespace bittern::json
