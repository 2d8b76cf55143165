#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "model/file.h"
#include "model/random_model.h"

namespace bittern::model {
namespace {

namespace fs = std::filesystem;

class Save : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bittern-save-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  fs::path folder_;
};

// Files may not grow past a few bytes: what a full disk looks like to write().
class NoRoom {
 public:
  NoRoom() : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    const rlimit none{512, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &none);
  }
  ~NoRoom() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, handler_);
  }
  NoRoom(const NoRoom&) = delete;
  NoRoom& operator=(const NoRoom&) = delete;

 private:
  void (*handler_)(int);
  rlimit old_{};
};

TEST_F(Save, WithoutRoomLeavesNothing) {
  const auto model = random_model(tiny_network(), 1);
  Status status;
  {
    const NoRoom no_room;
    status = save(*model, folder_ / "a.bittern");
  }
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
  EXPECT_NE(status.error().message.find("a.bittern"), std::string::npos);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(Save, WithoutRoomKeepsTheModelThatWasThere) {
  const auto first = random_model(tiny_network(), 1);
  ASSERT_TRUE(save(*first, folder_ / "a.bittern").ok());
  {
    const NoRoom no_room;
    EXPECT_FALSE(save(*random_model(tiny_network(), 2), folder_ / "a.bittern").ok());
  }
  const auto back = open(folder_ / "a.bittern");
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(serialize(**back).value(), serialize(*first).value());
  EXPECT_EQ(entries(), 1U);
}

TEST_F(Save, IntoAMissingFolderOrOntoAFolderIsAnErrorThatNamesThePath) {
  const auto model = random_model(tiny_network(), 1);
  for (const fs::path& path : {folder_ / "no" / "a.bittern", folder_}) {
    const Status status = save(*model, path);
    ASSERT_FALSE(status.ok());
    EXPECT_NE(status.error().message.find(path.string()), std::string::npos) << status.error().message;
  }
}

TEST_F(Save, AModelThatDoesNotHoldTogetherIsNotWritten) {
  const auto model = random_model(tiny_network(), 1);
  model->labels.pop_back();
  const Status status = save(*model, folder_ / "a.bittern");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("2 labels for 3 classes"), std::string::npos)
      << status.error().message;
  EXPECT_EQ(entries(), 0U);
}

}  // namespace
}  // namespace bittern::model
