// What commands print: text on standard output, tables, and single lines on standard error.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace bittern::cli {

// Writes to standard output, buffered. kIo once it cannot be written (a full disk); a closed pipe ends the
// program quietly by SIGPIPE, as it ends any filter.
Status write_out(std::string_view text);
Status flush_out();

// `text` with every control character (line breaks in a file's name, ...) replaced, so that it stays one
// line.
std::string one_line(std::string_view text);

// An error where `out` is the file `in`, by whatever name or link: writing would take away what is read.
Status check_not_the_same(const std::string& out, const std::string& in);

// To be called before other threads are: from then on errors are printed to what standard error is now.
void keep_error_output();

// "bittern: <message>" as one line on standard error; nothing where the message is empty (a command that
// fails after it has told why).
void print_error(std::string_view message);
// "bittern: warning: <message>".
void print_warning(std::string_view message);

// Columns as wide as their widest cell, title or `width`. Widths count UTF-8 characters. For rows that come
// one by one, head() and line() use the width of titles and `width` alone; str() is for rows collected by
// add().
class Table {
 public:
  enum class Align { kLeft, kRight };
  struct Column {
    std::string title;
    Align align = Align::kRight;
    std::size_t width = 0;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

  static std::size_t width(std::string_view text);

  // The titles and the rule below them.
  std::string head() const;
  // One row; longer cells push the rest to the right. Each line ends without trailing spaces.
  std::string line(const std::vector<std::string>& row) const;

  // As many cells as columns; missing ones are empty.
  void add(std::vector<std::string> row);
  // Head and rows.
  std::string str() const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace bittern::cli
