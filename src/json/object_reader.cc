#include "json/object_reader.h"

#include <fmt/format.h>

namespace bittern::json {

ObjectReader::ObjectReader(const Json& json, std::string where, ErrorCode code)
    : json_(json), where_(std::move(where)), code_(code) {
  if (!json_.is_object()) fail("must be an object");
}

const Json* ObjectReader::find(const char* key, bool required) {
  known_.insert(key);
  if (!status_.ok()) return nullptr;
  const auto found = json_.find(key);
  if (found != json_.end()) return &*found;
  if (required) fail(fmt::format("'{}' is missing", key));
  return nullptr;
}

Status ObjectReader::finish() {
  if (!status_.ok()) return status_;
  for (const auto& [key, value] : json_.items())
    if (!known_.contains(key)) fail(fmt::format("unknown key '{}'", key));
  return status_;
}

void ObjectReader::fail(const std::string& what) {
  if (status_.ok()) status_ = Error{code_, fmt::format("{}: {}", where_, what)};
}

}  // namespace bittern::json
