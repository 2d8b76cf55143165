#include "core/text.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <limits>

namespace bittern {
namespace {

TEST(Text, CountsOneAndMany) {
  EXPECT_EQ(counted(1, "exit"), "1 exit");
  EXPECT_EQ(counted(std::size_t{0}, "exit"), "0 exits");
  EXPECT_EQ(counted(std::int64_t{12}, "unreadable clip"), "12 unreadable clips");
}

TEST(Text, GroupsDigitsByThree) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(12785304), "12,785,304");
  EXPECT_EQ(grouped(-123), "-123");
  EXPECT_EQ(grouped(-1234), "-1,234");
  EXPECT_EQ(grouped(std::numeric_limits<std::int64_t>::min()), "-9,223,372,036,854,775,808");
}

TEST(Text, LowersAsciiOnly) { EXPECT_EQ(lower_case("HeLLo 42 \xC3\x89"), "hello 42 \xC3\x89"); }

}  // namespace
}  // namespace bittern
