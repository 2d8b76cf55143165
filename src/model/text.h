// What text inside a model may be.
#pragma once

#include <string_view>

namespace bittern::model {

// Well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF).
bool is_utf8(std::string_view text);

// Also free of control characters, so that it can be printed on one line of a terminal.
bool is_printable(std::string_view text);

}  // namespace bittern::model
