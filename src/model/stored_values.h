// Text and lists of a model file, copied.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/status.h"
#include "model/schema.h"

namespace bittern::model {

// Lengths are checked against their limits before anything is allocated.
inline Expected<std::string> read_text(const flatbuffers::String& text, std::size_t limit, const char* what) {
  if (text.size() > limit)
    return corrupt(std::string(what) + " has " + std::to_string(text.size()) + " bytes, more than " +
                   std::to_string(limit));
  return text.str();
}

template <class T, class Stored>
Expected<std::vector<T>> read_list(const flatbuffers::Vector<Stored>& list, std::size_t limit,
                                   const char* what) {
  // FlatBuffers' verifier looks at the length's alignment only.
  if (!is_aligned(list.Data(), alignof(Stored))) return corrupt(std::string(what) + ": not aligned");
  if (list.size() > limit)
    return corrupt(std::to_string(list.size()) + " " + what + ", more than " + std::to_string(limit));
  return std::vector<T>(list.begin(), list.end());
}

}  // namespace bittern::model
