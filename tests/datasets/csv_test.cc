#include "datasets/csv.h"

#include <gtest/gtest.h>

#include <sstream>

namespace bittern::datasets {
namespace {

using Rows = std::vector<std::vector<std::string>>;

Rows rows(const std::string& text) {
  std::istringstream stream(text);
  CsvReader reader(stream);
  Rows all;
  for (std::vector<std::string> fields; reader.next(fields);) all.push_back(fields);
  return all;
}

TEST(Csv, Plain) {
  EXPECT_EQ(rows("a,b,c\n1,2,3\n"), (Rows{{"a", "b", "c"}, {"1", "2", "3"}}));
  EXPECT_EQ(rows("a,b"), (Rows{{"a", "b"}}));
}

TEST(Csv, EmptyFields) { EXPECT_EQ(rows(",\na,,\n,b"), (Rows{{"", ""}, {"a", "", ""}, {"", "b"}})); }

TEST(Csv, EmptyLinesAreNoRows) {
  EXPECT_EQ(rows("\n\na\n\nb\n\n"), (Rows{{"a"}, {"b"}}));
  EXPECT_EQ(rows(""), Rows{});
  EXPECT_EQ(rows("\"\""), (Rows{{""}}));
}

TEST(Csv, Quotes) {
  EXPECT_EQ(rows("\"a,b\",\"say \"\"hi\"\"\",c\n"), (Rows{{"a,b", "say \"hi\"", "c"}}));
  EXPECT_EQ(rows("\"two\nlines\",x\n"), (Rows{{"two\nlines", "x"}}));
  EXPECT_EQ(rows("5\" disk,x\n"), (Rows{{"5\" disk", "x"}}));
}

TEST(Csv, QuoteNeverClosed) { EXPECT_EQ(rows("a,\"b,c\nd"), (Rows{{"a", "b,c\nd"}})); }

TEST(Csv, TellsWhereAQuoteIsNeverClosed) {
  const auto unclosed = [](const std::string& text) {
    std::istringstream stream(text);
    CsvReader reader(stream);
    for (std::vector<std::string> fields; reader.next(fields);) {
    }
    return reader.unclosed_quote();
  };
  EXPECT_EQ(unclosed("a,\"b,c\nd"), 1U);
  EXPECT_EQ(unclosed("\n\"two\nlines\",x\r\na,\"\r\nb\n"), 4U);
  EXPECT_EQ(unclosed("a\n\"say \"\""), 2U);
  EXPECT_EQ(unclosed("a\n\""), 2U);
  EXPECT_EQ(unclosed("\"a\",\"b\""), std::nullopt);
  EXPECT_EQ(unclosed("5\" disk\n"), std::nullopt);
  EXPECT_EQ(unclosed(""), std::nullopt);
}

TEST(Csv, WindowsLines) { EXPECT_EQ(rows("a,b\r\n1,\"2\"\r\n"), (Rows{{"a", "b"}, {"1", "2"}})); }

TEST(Csv, ByteOrderMark) { EXPECT_EQ(rows("\xEF\xBB\xBFSET,LINK\n"), (Rows{{"SET", "LINK"}})); }

}  // namespace
}  // namespace bittern::datasets
