#include "reproduce/difference.h"

#include <fmt/format.h>

#include <set>

#include "json/text.h"

namespace bittern::reproduce {
namespace {

using json::Json;

// "/augment/mixup" as "augment.mixup".
std::string told(std::string key) {
  key.erase(0, 1);
  for (char& c : key) c = c == '/' ? '.' : c;
  return key;
}

// Where lists and objects are empty, flat ones have null.
std::string told(const Json& flat, const std::string& key) {
  return flat.contains(key) && !flat[key].is_null() ? json::text(flat[key]) : "none";
}

std::string first_other(const Json& stored, const Json& planned, bool stored_alone) {
  if (!stored.is_object()) return "options that are none";
  const Json had = stored.flatten();
  const Json wants = planned.flatten();
  std::set<std::string> keys;
  for (const auto& [key, value] : had.items()) keys.insert(key);
  if (!stored_alone)
    for (const auto& [key, value] : wants.items()) keys.insert(key);
  for (const std::string& key : keys) {
    if (key == "/precision" && planned.value("precision", "") == "auto") continue;
    const std::string is = told(had, key);
    const std::string should = told(wants, key);
    if (is != should) return fmt::format("{} {}, not {}", told(key), is, should);
  }
  return {};
}

}  // namespace

std::string difference(const Json& stored, const Json& planned) {
  return first_other(stored, planned, false);
}

std::string changed(const Json& stored, const Json& planned) { return first_other(stored, planned, true); }

}  // namespace bittern::reproduce
