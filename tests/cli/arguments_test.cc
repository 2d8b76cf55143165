#include "cli/arguments.h"

#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

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
  for (const char* text : {"0", "17", "1.5", "2x", "", "99999999999999999999"})
    EXPECT_FALSE(accepts(whole_within(1, 16), text)) << text;
  for (const char* text : {"1", "16"}) EXPECT_TRUE(accepts(whole_within(1, 16), text)) << text;
}

TEST(OneOf, NamesTheWordAndWhatIsPossible) {
  EXPECT_EQ(one_of({"red", "green"}).complaint("yellow"), "'yellow' is not one of: red, green");
  EXPECT_TRUE(accepts(one_of({"red", "green"}), "green"));
}

TEST(FailUsage, EndsAsWrongUsage) { EXPECT_THROW(fail_usage("no"), CLI::ParseError); }

}  // namespace
}  // namespace bittern::cli
