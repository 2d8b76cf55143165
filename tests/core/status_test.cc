#include "core/status.h"

#include <gtest/gtest.h>

#include <memory>

namespace bittern {
namespace {

Expected<std::unique_ptr<int>> make(bool succeed) {
  if (!succeed) return invalid_argument("asked to fail");
  return std::make_unique<int>(7);
}

Expected<int> unwrap(bool succeed) {
  BITTERN_ASSIGN_OR_RETURN(const std::unique_ptr<int> value, make(succeed));
  return *value;
}

Status check(bool succeed) {
  BITTERN_RETURN_IF_ERROR(unwrap(succeed));
  return {};
}

TEST(Expected, CarriesAValueThatCanOnlyBeMoved) { EXPECT_EQ(unwrap(true).value(), 7); }

TEST(Expected, CarriesTheErrorUnchangedThroughMacros) {
  const Status status = check(false);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(status.error().message, "asked to fail");
  EXPECT_TRUE(check(true).ok());
}

}  // namespace
}  // namespace bittern
