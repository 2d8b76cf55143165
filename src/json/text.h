// JSON as text: written alike everywhere, and read strictly.
#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace bittern::json {

// Keys stay in the order in which they were written.
using Json = nlohmann::ordered_json;

// On one line, or indented by `indent` spaces. Bytes that are not UTF-8, as a file's name may hold, become
// U+FFFD.
std::string text(const Json& json, int indent = -1);

// The double that prints like `value`: 0.1F as 0.1, not as 0.10000000149.
double shortest(float value);
std::vector<double> shortest(std::span<const float> values);

// Deeper than anything of ours; printing without end could exhaust the stack.
inline constexpr int kMostNested = 32;

// What `text` holds. kInvalidArgument, with `where` in front, for what is no JSON (the line is named), an
// object that has a key twice, and more than kMostNested levels.
Expected<Json> parse(std::string_view text, const std::string& where);

// The same of a file; kNotFound where it cannot be read.
Expected<Json> read_file(const std::filesystem::path& file);

}  // namespace bittern::json
