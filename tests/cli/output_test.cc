#include "cli/output.h"

#include <gtest/gtest.h>

namespace bittern::cli {
namespace {

TEST(OneLine, KeepsAnyNameOnOneLine) {
  EXPECT_EQ(one_line("plain"), "plain");
  EXPECT_EQ(one_line("a\nb\tc\x1B[31m\n"), "a b?c?[31m");
  EXPECT_EQ(one_line("a \xC2\x9B"
                     "1m\xC2\x80 \xC2\xB0 \xC2"),
            "a ?1m? \xC2\xB0 \xC2");
  EXPECT_EQ(one_line("blank "), "blank ");
  EXPECT_EQ(one_line("h\xC3\xB6ren"), "h\xC3\xB6ren");
}

TEST(Table, ColumnsAreAsWideAsTheirWidestCell) {
  Table table({{"name", Table::Align::kLeft, 0}, {"n", Table::Align::kRight, 0}});
  table.add({"a", "1000"});
  table.add({"l\xC3\xA4nger", "7"});  // six characters, seven bytes
  table.add({"b"});
  EXPECT_EQ(table.str(),
            "name       n\n"
            "------------\n"
            "a       1000\n"
            "l\xC3\xA4nger     7\n"
            "b\n");
}

TEST(Table, RowsThatComeOneByOneUseTheGivenWidths) {
  const Table table({{"f", Table::Align::kLeft, 4}, {"exit", Table::Align::kRight, 0}});
  EXPECT_EQ(table.head(), "f     exit\n----------\n");
  EXPECT_EQ(table.line({"ab", "1"}), "ab       1\n");
  EXPECT_EQ(table.line({"abcdef", "1"}), "abcdef     1\n");
}

}  // namespace
}  // namespace bittern::cli
