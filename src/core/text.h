// Text in ASCII.
#pragma once

#include <string>

namespace bittern {

// A to Z become a to z, whatever the locale; all other bytes stay.
inline std::string lower_case(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace bittern
