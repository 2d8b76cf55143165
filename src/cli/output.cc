#include "cli/output.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace bittern::cli {
namespace {

Error cannot_write() {
  return io_error(fmt::format("standard output: cannot write: {}", std::strerror(errno)));
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

Status write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return cannot_write();
  return {};
}

Status flush_out() {
  if (std::fflush(stdout) != 0) return cannot_write();
  return {};
}

std::string one_line(std::string_view text) {
  std::string line(text);
  while (!line.empty() && (line.back() == '\n' || line.back() == ' ')) line.pop_back();
  for (char& c : line) {
    if (const auto byte = static_cast<unsigned char>(c); byte < 0x20U || byte == 0x7FU)
      c = c == '\n' ? ' ' : '?';
  }
  return line;
}

void print_error(std::string_view message) {
  const std::string line = fmt::format("bittern: {}\n", one_line(message));
  std::fwrite(line.data(), 1, line.size(), stderr);
}

void print_warning(std::string_view message) { print_error(fmt::format("warning: {}", message)); }

void Table::add(std::vector<std::string> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::str() const {
  std::vector<std::size_t> widths(columns_.size());
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    widths[c] = width(columns_[c].title);
    for (const auto& row : rows_) widths[c] = std::max(widths[c], width(row[c]));
  }
  std::string text;
  const auto append_line = [&](const auto& cell_of) {
    std::string line;
    for (std::size_t c = 0; c < columns_.size(); ++c) {
      const std::string& cell = cell_of(c);
      const std::string padding(widths[c] - width(cell), ' ');
      if (c != 0) line += "  ";
      line += columns_[c].align == Align::kLeft ? cell + padding : padding + cell;
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + '\n';
  };
  append_line([&](std::size_t c) -> const std::string& { return columns_[c].title; });
  std::size_t total = 0;
  for (const std::size_t w : widths) total += w + 2;
  text += std::string(total < 2 ? 0 : total - 2, '-') + '\n';
  for (const auto& row : rows_) append_line([&](std::size_t c) -> const std::string& { return row[c]; });
  return text;
}

}  // namespace bittern::cli
