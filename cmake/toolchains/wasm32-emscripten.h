// What the C++ library of Debian's Emscripten (LLVM 13) lacks of C++20; the toolchain file includes it
// everywhere.
#pragma once

#include <bit>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace std {

template <class To, class From>
constexpr To bit_cast(const From& from) noexcept {
  static_assert(sizeof(To) == sizeof(From));
  return __builtin_bit_cast(To, from);
}

// The fewest digits that give the same float again.
inline to_chars_result to_chars(char* first, char* last, float value) {
  char text[32];
  for (int digits = 1; digits <= 9; ++digits) {
    snprintf(text, sizeof(text), "%.*g", digits, static_cast<double>(value));
    if (strtof(text, nullptr) == value) break;
  }
  const size_t size = strlen(text);
  if (static_cast<size_t>(last - first) < size) return {last, errc::value_too_large};
  memcpy(first, text, size);
  return {first + size, errc()};
}

}  // namespace std
