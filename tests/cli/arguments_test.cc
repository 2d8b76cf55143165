#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace bittern::cli {
namespace {

bool accepts(const Check& check, const std::string& text) { return check.complaint(text).empty(); }

TEST(Checks, RefuseWhatIsNotAFiniteNumber) {
  for (const Check& check : {at_least(-1e9), above(-1e9), within(-1e9, 1e9)}) {
    for (const char* text :
         {"nan", "NaN", "-nan", "inf", "-inf", "infinity", "1e999", "", "x", "1x", "0,5", "1 2"})
      EXPECT_FALSE(accepts(check, text)) << text;
    for (const char* text : {"0.5", "1e-3", "0", ".25"}) EXPECT_TRUE(accepts(check, text)) << text;
  }
}

TEST(Checks, KeepTheirLimits) {
  EXPECT_TRUE(accepts(at_least(0), "0"));
  EXPECT_FALSE(accepts(at_least(0), "-0.001"));
  EXPECT_FALSE(accepts(above(0), "0"));
  EXPECT_TRUE(accepts(above(0), "0.001"));
  EXPECT_TRUE(accepts(within(0, 1), "1"));
  EXPECT_FALSE(accepts(within(0, 1), "1.001"));
}

TEST(Checks, WholeNumbersAreWhole) {
  for (const char* text : {"0", "17", "1.5", "2x", "0x10", "+1", " 1", "1 ", "", "99999999999999999999"})
    EXPECT_FALSE(accepts(whole_within(1, 16), text)) << text;
  for (const char* text : {"1", "16", "010", "016"}) EXPECT_TRUE(accepts(whole_within(1, 16), text)) << text;
}

// What a command line of these words gives.
struct Given {
  int n = 0;
  std::uint64_t seed = 0;
  std::vector<std::string> files;
};
Given parse(std::vector<std::string> words) {
  CLI::App app;
  Arguments arguments(app);
  Given given;
  arguments.add("--n N", given.n, "");
  arguments.add("--seed N", given.seed, "");
  arguments.add("FILES", given.files, "");
  std::reverse(words.begin(), words.end());  // as CLI11 wants them
  app.parse(words);
  return given;
}

TEST(WholeNumbers, AreReadInBaseTen) {
  EXPECT_EQ(parse({"--n", "010"}).n, 10);
  EXPECT_EQ(parse({"--n", "-7"}).n, -7);
  EXPECT_EQ(parse({"--seed", "010"}).seed, 10U);
  EXPECT_EQ(parse({"--seed", "18446744073709551615"}).seed, 18446744073709551615U);
}

TEST(WholeNumbers, WithoutACheckTooWhatIsNoneIsWrongUsage) {
  for (const char* text : {"0x10", "1e9", "1.5", "x", "", "2147483648"})
    EXPECT_THROW(parse({"--n", text}), CLI::ValidationError) << text;
  for (const char* text : {"-1", "0x10", "1e9", "18446744073709551616"})
    EXPECT_THROW(parse({"--seed", text}), CLI::ValidationError) << text;
}

TEST(Files, StayAsTheyAre) {
  const std::vector<std::string> files{"[ab]", "[a,b]", "{}", "%%", "a,b", "[]", ""};
  EXPECT_EQ(parse(files).files, files);
  for (const std::string& file : files) EXPECT_EQ(parse({file}).files, std::vector<std::string>{file});
  EXPECT_EQ(parse({"[a]", "--n", "3", "b", "--", "-c"}).files, (std::vector<std::string>{"[a]", "b", "-c"}));
}

TEST(OneOf, NamesTheWordAndWhatIsPossible) {
  EXPECT_EQ(one_of({"red", "green"}).complaint("yellow"), "'yellow' is not one of: red, green");
  EXPECT_TRUE(accepts(one_of({"red", "green"}), "green"));
}

TEST(FailUsage, EndsAsWrongUsage) { EXPECT_THROW(fail_usage("no"), CLI::ParseError); }

}  // namespace
}  // namespace bittern::cli
