#include "core/atomic_file.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <iterator>

#include "core/mapped_file.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

class AtomicFile : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bittern-atomic-" + std::to_string(::getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  }
  static std::string read(const fs::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path folder_;
};

TEST_F(AtomicFile, ReplacesTheOldFileAndLeavesNothingBeside) {
  ASSERT_TRUE(write_file(folder_ / "a", "first").ok());
  ASSERT_TRUE(write_file(folder_ / "a", "second").ok());
  EXPECT_EQ(read(folder_ / "a"), "second");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFile, AFailedWriterLeavesTheOldFile) {
  ASSERT_TRUE(write_file(folder_ / "a", "first").ok());
  const Status status = write_file_with(folder_ / "a", [](const fs::path& temporary) -> Status {
    std::ofstream(temporary) << "half";
    return io_error("disk full");
  });
  EXPECT_FALSE(status.ok());
  EXPECT_EQ(read(folder_ / "a"), "first");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFile, AFullDeviceIsAnError) {
  const Status status = write_file("/dev/full", std::string(1 << 16, 'x'));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
}

TEST_F(AtomicFile, AMissingFolderIsAnErrorThatNamesThePath) {
  const Status status = write_file(folder_ / "no" / "a", "x");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find((folder_ / "no" / "a").string()), std::string::npos);
}

TEST_F(AtomicFile, MappedFileRefusesFoldersEmptyAndLargeFiles) {
  std::ofstream(folder_ / "empty").close();
  std::ofstream(folder_ / "big") << "0123456789";
  EXPECT_FALSE(MappedFile::open(folder_, 100).ok());
  EXPECT_FALSE(MappedFile::open(folder_ / "empty", 100).ok());
  EXPECT_FALSE(MappedFile::open(folder_ / "big", 9).ok());
  EXPECT_EQ(MappedFile::open(folder_ / "none", 9).error().code, ErrorCode::kNotFound);
  const auto file = MappedFile::open(folder_ / "big", 10);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->bytes().size(), 10U);
}

}  // namespace
}  // namespace bittern
