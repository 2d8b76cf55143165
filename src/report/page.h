// A report: one HTML file that needs nothing beside it, neither network nor script. Where scripts run, charts
// answer the pointer and follow the reader's choice of a light or a dark page.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "report/chart.h"

namespace bittern::report {

struct Cell {
  Cell(std::string t) : text(std::move(t)) {}  // NOLINT(google-explicit-constructor)
  Cell(const char* t) : text(t) {}             // NOLINT(google-explicit-constructor)
  Cell(std::string t, double s) : text(std::move(t)), shade(s) {}

  std::string text;
  std::string small = {};       // a second line, smaller; empty: none
  bool soft = false;            // for comparison, beside what the table is about
  std::optional<double> shade;  // 0 to 1: how dark behind the text
  std::string audio;            // a recording's bytes, to be played instead of the text; empty: none
  std::string audio_type;       // "audio/flac"
};

struct Table {
  std::vector<std::string> header;
  std::vector<std::vector<Cell>> rows;
};

// Text is plain text everywhere: what HTML would take for markup is written so that it is not. Bytes that are
// not UTF-8 become U+FFFD.
class Page {
 public:
  // `lead` stands under the title.
  Page(std::string title, std::string_view lead);

  void heading(std::string_view text);
  void subheading(std::string_view text);
  void paragraph(std::string_view text);
  void list(const std::vector<std::string>& items);
  // What explains a table, below it.
  void note(std::string_view text);
  void table(const Table& table);
  // `caption` says in a sentence or two what is to be seen.
  void chart(Chart chart, std::string_view caption);

  // In the order of the page.
  const std::vector<Chart>& charts() const { return charts_; }
  Expected<std::string> html() const;

 private:
  // Text between charts: pieces_[i] stands before charts_[i].
  std::string& open() { return pieces_.back(); }

  std::string title_;
  std::vector<std::string> pieces_;
  std::vector<Chart> charts_;
};

}  // namespace bittern::report
