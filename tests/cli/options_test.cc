#include "cli/options.h"

#include <gtest/gtest.h>

namespace bittern::cli {
namespace {

bool accepts(const CLI::Validator& validator, std::string text) { return validator(text).empty(); }

TEST(Validators, RefuseWhatIsNotAFiniteNumber) {
  for (const CLI::Validator& validator :
       {finite_at_least(-1e9), finite_above(-1e9), finite_within(-1e9, 1e9)}) {
    for (const char* text :
         {"nan", "NaN", "-nan", "inf", "-inf", "infinity", "1e999", "", "x", "1x", "0,5", "1 2"})
      EXPECT_FALSE(accepts(validator, text)) << text;
    for (const char* text : {"0.5", "1e-3", "0", ".25"}) EXPECT_TRUE(accepts(validator, text)) << text;
  }
}

TEST(Validators, KeepTheirLimits) {
  EXPECT_TRUE(accepts(finite_at_least(0), "0"));
  EXPECT_FALSE(accepts(finite_at_least(0), "-0.001"));
  EXPECT_FALSE(accepts(finite_above(0), "0"));
  EXPECT_TRUE(accepts(finite_above(0), "0.001"));
  EXPECT_TRUE(accepts(finite_within(0, 1), "1"));
  EXPECT_FALSE(accepts(finite_within(0, 1), "1.001"));
}

TEST(OneOf, NamesTheWordAndWhatIsPossible) {
  std::string word = "yellow";
  EXPECT_EQ(one_of({"red", "green"})(word), "'yellow' is not one of: red, green");
  EXPECT_TRUE(accepts(one_of({"red", "green"}), "green"));
}

TEST(FailUsage, EndsAsWrongUsage) { EXPECT_THROW(fail_usage("no"), CLI::ParseError); }

}  // namespace
}  // namespace bittern::cli
