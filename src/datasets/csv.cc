#include "datasets/csv.h"

namespace bittern::datasets {

CsvReader::CsvReader(std::istream& stream) : stream_(stream) {
  for (const int byte : {0xEF, 0xBB, 0xBF}) {
    if (stream_.peek() != byte) break;
    stream_.get();
  }
}

bool CsvReader::next(std::vector<std::string>& fields) {
  fields.assign(1, "");
  bool quoted = false;
  std::size_t opened = 0;  // the line of the last quote
  bool any = false;
  std::streambuf& bytes = *stream_.rdbuf();
  while (true) {
    const int byte = bytes.sbumpc();
    if (byte == std::char_traits<char>::eof()) {
      if (quoted) unclosed_quote_ = opened;
      return any;
    }
    const char c = static_cast<char>(byte);
    if (c == '\n') ++line_;
    if (quoted) {
      if (c != '"') {
        fields.back() += c;
      } else if (bytes.sgetc() == '"') {
        fields.back() += static_cast<char>(bytes.sbumpc());
      } else {
        quoted = false;
      }
    } else if (c == '\n' || (c == '\r' && bytes.sgetc() == '\n')) {
      if (c == '\r') {
        bytes.sbumpc();
        ++line_;
      }
      if (any) return true;
    } else {
      if (!any) row_line_ = line_;
      any = true;
      if (c == ',') {
        fields.emplace_back();
      } else if (c == '"' && fields.back().empty()) {
        quoted = true;
        opened = line_;
      } else {
        fields.back() += c;
      }
    }
  }
}

}  // namespace bittern::datasets
