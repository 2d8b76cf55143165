#include "json/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <set>

namespace bittern::json {

std::string text(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

double shortest(float value) {
  std::array<char, 32> text{};
  const auto printed = std::to_chars(text.data(), text.data() + text.size(), value);
  double result = 0;
  std::from_chars(text.data(), printed.ptr, result);
  return result;
}

std::vector<double> shortest(std::span<const float> values) {
  std::vector<double> result;
  result.reserve(values.size());
  for (const float value : values) result.push_back(shortest(value));
  return result;
}

Expected<Json> parse(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> keys;  // of the objects that are open
  std::string twice;
  bool too_deep = false;
  const auto watch = [&](int depth, Json::parse_event_t event, const Json& parsed) {
    using Event = Json::parse_event_t;
    too_deep |= depth >= kMostNested && (event == Event::object_start || event == Event::array_start);
    if (event == Event::object_start) keys.emplace_back();
    if (event == Event::object_end) keys.pop_back();
    if (event == Event::key && !keys.back().insert(parsed.get<std::string>()).second)
      twice = parsed.get<std::string>();
    return !too_deep;
  };
  Json json;
  try {
    json = Json::parse(text, watch);
  } catch (const nlohmann::json::parse_error& error) {
    const std::string_view before = text.substr(0, std::max<std::size_t>(error.byte, 1) - 1);
    return invalid_argument(
        fmt::format("{}: is not JSON: line {}", where, 1 + std::count(before.begin(), before.end(), '\n')));
  } catch (const nlohmann::json::exception&) {  // a number that no double holds
    return invalid_argument(fmt::format("{}: has a number that is out of range", where));
  }
  if (too_deep) return invalid_argument(fmt::format("{}: is nested more than {} deep", where, kMostNested));
  if (!twice.empty()) return invalid_argument(fmt::format("{}: '{}' is there twice", where, twice));
  return json;
}

Expected<Json> read_file(const std::filesystem::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string bytes;
  std::array<char, 4096> piece{};
  while (stream.read(piece.data(), piece.size()) || stream.gcount() > 0)
    bytes.append(piece.data(), static_cast<std::size_t>(stream.gcount()));
  if (!stream.eof()) return not_found(file.string() + ": cannot be read");  // not there, or a folder
  return parse(bytes, file.string());
}

}  // namespace bittern::json
