#include "cli/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace bittern::cli {
namespace {

Error cannot_write() {
  return io_error(fmt::format("standard output: cannot write: {}", std::strerror(errno)));
}

// A descriptor of our own, for standard error may be silenced for a moment (audio/quiet_stderr.h) while
// another thread has something to say.
int error_output() {
  static const int own = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  return own >= 0 ? own : STDERR_FILENO;
}

}  // namespace

Status write_out(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) return cannot_write();
  return {};
}

Status flush_out() {
  // An earlier failure may have dropped what it could not write.
  if (std::fflush(stdout) != 0 || std::ferror(stdout) != 0) return cannot_write();
  return {};
}

Status check_not_the_same(const std::string& out, const std::string& in) {
  std::error_code ignored;  // what is not there is no file
  if (!std::filesystem::equivalent(out, in, ignored)) return {};
  return invalid_argument(fmt::format("{}: is the file that is read; give --out another name", out));
}

std::string one_line(std::string_view text) {
  std::string line(text);
  while (!line.empty() && line.back() == '\n') line.pop_back();
  for (std::size_t i = 0; i < line.size(); ++i) {
    const auto byte = static_cast<unsigned char>(line[i]);
    const auto next = i + 1 < line.size() ? static_cast<unsigned char>(line[i + 1]) : 0U;
    // U+0080 to U+009F in UTF-8: terminals take some of them for the start of a command.
    if (byte == 0xC2U && next >= 0x80U && next <= 0x9FU) line.erase(i, 1);
    if (line[i] == '\n') {
      line[i] = ' ';
    } else if (byte < 0x20U || byte == 0x7FU || static_cast<unsigned char>(line[i]) != byte) {
      line[i] = '?';
    }
  }
  return line;
}

void keep_error_output() { error_output(); }

void print_error(std::string_view message) {
  if (message.empty()) return;
  const std::string line = fmt::format("bittern: {}\n", one_line(message));
  for (std::string_view rest = line; !rest.empty();) {
    const ssize_t written = ::write(error_output(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

void print_warning(std::string_view message) { print_error(fmt::format("warning: {}", message)); }

std::size_t Table::width(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::string Table::line(const std::vector<std::string>& row) const {
  std::string line;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    const std::string_view cell = c < row.size() ? std::string_view(row[c]) : std::string_view();
    const std::size_t wanted = std::max(columns_[c].width, width(columns_[c].title));
    const std::string padding(wanted - std::min(wanted, width(cell)), ' ');
    if (c != 0) line += "  ";
    if (columns_[c].align == Align::kRight) line += padding;
    line += cell;
    if (columns_[c].align == Align::kLeft) line += padding;
  }
  line.erase(line.find_last_not_of(' ') + 1);
  return line + '\n';
}

std::string Table::head() const {
  std::vector<std::string> titles;
  std::size_t total = 0;
  for (const Column& column : columns_) {
    titles.push_back(column.title);
    total += std::max(column.width, width(column.title)) + 2;
  }
  return line(titles) + std::string(total < 2 ? 0 : total - 2, '-') + '\n';
}

void Table::add(std::vector<std::string> row) {
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::string Table::str() const {
  Table fitted(columns_);
  for (std::size_t c = 0; c < columns_.size(); ++c)
    for (const auto& row : rows_)
      fitted.columns_[c].width = std::max(fitted.columns_[c].width, width(row[c]));
  std::string text = fitted.head();
  for (const auto& row : rows_) text += fitted.line(row);
  return text;
}

}  // namespace bittern::cli
