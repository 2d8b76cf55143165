#include "core/folder_lock.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

namespace bittern {
namespace {

class FolderLocks : public ::testing::Test {
 protected:
  FolderLocks() { std::filesystem::create_directories(folder_); }
  ~FolderLocks() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("bittern_lock_" + std::to_string(::getpid()));
};

TEST_F(FolderLocks, AreHeldByOneAtATime) {
  auto held = lock_folder(folder_, "training");
  ASSERT_TRUE(held.ok()) << held.error().message;
  std::optional<FolderLock> kept = std::move(held).value();
  const auto refused = lock_folder(folder_, "training");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().message, folder_.string() + ": another training is at work there");
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  kept.reset();
  EXPECT_TRUE(lock_folder(folder_, "training").ok());
}

TEST_F(FolderLocks, NeedAFolder) {
  const auto refused = lock_folder(folder_ / "none", "training");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace bittern
