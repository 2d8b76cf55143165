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

}  // namespace

std::string difference(const Json& stored, const Json& planned) {
  if (!stored.is_object()) return "options that are none";
  const Json had = stored.flatten();
  const Json wants = planned.flatten();
  std::set<std::string> keys;
  for (const Json* flat : {&had, &wants})
    for (const auto& [key, value] : flat->items()) keys.insert(key);
  for (const std::string& key : keys) {
    if (key == "/precision" && planned.value("precision", "") == "auto") continue;
    const std::string is = told(had, key);
    const std::string should = told(wants, key);
    if (is != should) return fmt::format("{} {}, not {}", told(key), is, should);
  }
  return {};
}

}  // namespace bittern::reproduce
