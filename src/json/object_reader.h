// Reads one JSON object strictly: every key is asked for, none may be left over, and values are what they are
// asked to be: 1.5 is no whole number, true is none either, and -1 does not become a large one.
#pragma once

#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/status.h"
#include "json/text.h"

namespace bittern::json {

namespace detail {

inline bool read(const Json& json, Json& value) {
  value = json;
  return true;
}

inline bool read(const Json& json, bool& value) {
  if (json.is_boolean()) value = json.get<bool>();
  return json.is_boolean();
}

inline bool read(const Json& json, std::string& value) {
  if (json.is_string()) value = json.get<std::string>();
  return json.is_string();
}

template <std::integral T>
bool read(const Json& json, T& value) {
  const bool fits = json.is_number_unsigned()  ? std::in_range<T>(json.get<std::uint64_t>())
                    : json.is_number_integer() ? std::in_range<T>(json.get<std::int64_t>())
                                               : false;
  if (fits) value = json.get<T>();
  return fits;
}

template <std::floating_point T>
bool read(const Json& json, T& value) {
  const bool fits = json.is_number() && std::isfinite(json.get<T>());
  if (fits) value = json.get<T>();
  return fits;
}

template <class T>
bool read(const Json& json, std::vector<T>& values) {
  if (!json.is_array()) return false;
  values.clear();
  for (const Json& one : json)
    if (T value{}; read(one, value)) values.push_back(std::move(value));
  return values.size() == json.size();
}

// What a value of the type must be, in words.
inline std::string kind(const Json*) { return "anything"; }
inline std::string kind(const bool*) { return "true or false"; }
inline std::string kind(const std::string*) { return "a text"; }
template <std::integral T>
std::string kind(const T*) {
  using Limits = std::numeric_limits<T>;
  if (sizeof(T) == 8) return std::is_signed_v<T> ? "a whole number" : "a whole number of 0 or more";
  return "a whole number from " + std::to_string(Limits::min()) + " to " + std::to_string(Limits::max());
}
template <std::floating_point T>
std::string kind(const T*) {
  return sizeof(T) == 8 ? "a number" : "a number of at most 3.4e38 in size";
}
template <class T>
std::string kind(const std::vector<T>*) {
  return "a list, each of it " + kind(static_cast<const T*>(nullptr));
}

}  // namespace detail

// After the first mistake nothing more is read; finish() tells it.
class ObjectReader {
 public:
  // `json` must outlive this. `where` stands in front of every complaint: "recipe, bop". `code` is that of
  // all errors.
  ObjectReader(const Json& json, std::string where, ErrorCode code = ErrorCode::kInvalidArgument);

  // `value` is one of bool, a whole number, a float, std::string, a vector of these, or Json for anything.
  template <class T>
  void required(const char* key, T& value) {
    if (const Json* found = find(key, true); found != nullptr) take(key, *found, value);
  }
  // Where the key is not there `value` stays what it was.
  template <class T>
  void optional(const char* key, T& value) {
    if (const Json* found = find(key, false); found != nullptr) take(key, *found, value);
  }

  // The first mistake: a key that is missing, a value that is something else, a key that nobody asked for.
  Status finish();

 private:
  const Json* find(const char* key, bool required);
  template <class T>
  void take(const char* key, const Json& found, T& value) {
    if (!detail::read(found, value)) fail("'" + std::string(key) + "' must be " + detail::kind(&value));
  }
  void fail(const std::string& what);

  const Json& json_;
  std::string where_;
  ErrorCode code_;
  std::set<std::string> known_;
  Status status_;
};

}  // namespace bittern::json
