// Comma-separated values, row by row (RFC 4180: quotes, doubled quotes, line breaks inside quotes).
#pragma once

#include <istream>
#include <string>
#include <vector>

namespace bittern::datasets {

class CsvReader {
 public:
  // Skips a byte order mark. The stream must outlive the reader.
  explicit CsvReader(std::istream& stream);

  // The next row that is not an empty line; false at the end. Lines may end in CR LF. A quote that is never
  // closed runs to the end of the stream.
  bool next(std::vector<std::string>& fields);

 private:
  std::istream& stream_;
};

}  // namespace bittern::datasets
