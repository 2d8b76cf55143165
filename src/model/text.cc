#include "model/text.h"

#include <cstddef>
#include <cstdint>

namespace bittern::model {
namespace {

// Reads the code point at `at` and moves past it; false where the bytes are not one.
bool next_code_point(std::string_view text, std::size_t& at, std::uint32_t& point) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = byte(at);
  const std::size_t length = first < 0x80 ? 1 : first < 0xC0 ? 0 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (length == 0 || first >= 0xF8 || length > text.size() - at) return false;
  point = length == 1 ? first : first & (0x7FU >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80U) return false;
    point = point << 6U | (byte(at + i) & 0x3FU);
  }
  at += length;
  constexpr std::uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};  // by length: no overlong forms
  return point >= kLeast[length] && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
}

}  // namespace

bool is_utf8(std::string_view text) {
  std::uint32_t point = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!next_code_point(text, at, point)) return false;
  }
  return true;
}

bool is_printable(std::string_view text) {
  std::uint32_t point = 0;
  for (std::size_t at = 0; at < text.size();) {
    if (!next_code_point(text, at, point)) return false;
    const bool control = point < 0x20 || (point >= 0x7F && point < 0xA0);
    const bool line_break_or_direction = point == 0x2028 || point == 0x2029 ||
                                         (point >= 0x202A && point <= 0x202E) ||
                                         (point >= 0x2066 && point <= 0x2069);
    if (control || line_break_or_direction) return false;
  }
  return true;
}

}  // namespace bittern::model
