// Comma-separated values, row by row (RFC 4180: quotes, doubled quotes, line breaks inside quotes).
#pragma once

#include <cstddef>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace bittern::datasets {

class CsvReader {
 public:
  // Skips a byte order mark. The stream must outlive the reader.
  explicit CsvReader(std::istream& stream);

  // The next row that is not an empty line; false at the end. Lines may end in CR LF. A quote that is never
  // closed runs to the end of the stream: see unclosed_quote().
  bool next(std::vector<std::string>& fields);

  // The line, from 1, on which the last row began.
  std::size_t line() const { return row_line_; }

  // The line, from 1, of the quote inside which the stream ended.
  std::optional<std::size_t> unclosed_quote() const { return unclosed_quote_; }

 private:
  std::istream& stream_;
  std::size_t line_ = 1;
  std::size_t row_line_ = 1;
  std::optional<std::size_t> unclosed_quote_;
};

}  // namespace bittern::datasets
