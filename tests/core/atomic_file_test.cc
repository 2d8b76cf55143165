#include "core/atomic_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

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

// Runs `body` in a process of its own; its exit status, or minus the signal that ended it.
template <class Body>
int in_child(Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) ::_exit(body());
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

void limit(__rlimit_resource_t resource, rlim_t most) {
  const rlimit value{most, most};
  EXPECT_EQ(::setrlimit(resource, &value), 0);
}

TEST_F(AtomicFile, AFailedWriteLeavesTheOldFile) {
  ASSERT_TRUE(write_file(folder_ / "a", "first").ok());
  EXPECT_EQ(in_child([&] {
              ::signal(SIGXFSZ, SIG_IGN);
              limit(RLIMIT_FSIZE, 4096);
              const Status status = write_file(folder_ / "a", std::string(1 << 16, 'x'));
              return !status.ok() && status.error().code == ErrorCode::kIo ? 7 : 0;
            }),
            7);
  EXPECT_EQ(read(folder_ / "a"), "first");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFile, AKillWhileBytesAreWrittenLeavesNothing) {
  ASSERT_TRUE(write_file(folder_ / "a", "first").ok());
  EXPECT_EQ(in_child([&] {
              limit(RLIMIT_CORE, 0);
              limit(RLIMIT_FSIZE, 4096);
              return write_file(folder_ / "a", std::string(1 << 16, 'x')).ok() ? 1 : 0;
            }),
            -SIGXFSZ);
  EXPECT_EQ(read(folder_ / "a"), "first");
  std::size_t left = 1;
#ifdef O_TMPFILE
  const int unnamed = ::open(folder_.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (unnamed >= 0) {
    ::close(unnamed);
    left = 0;
  }
#endif
  EXPECT_EQ(entries(), 1U + left);
}

TEST(AtomicFileNames, WhatAKillMayLeaveIsKnownByItsName) {
  for (const char* name : {"a.pt.123-0", "a.pt.4-17"}) EXPECT_TRUE(is_unfinished(name, "a.pt")) << name;
  for (const char* name :
       {"a.pt", "a.pt.", "a.pt.1", "a.pt.1-", "a.pt.-1", "a.pt.1-2x", "a.pt.old", "b.pt.1-2", "a.ptx1-2"})
    EXPECT_FALSE(is_unfinished(name, "a.pt")) << name;
}

TEST_F(AtomicFile, KeepsTheModeOfWhatItReplaces) {
  std::ofstream(folder_ / "usual").close();
  ASSERT_TRUE(write_file(folder_ / "new", "x").ok());
  EXPECT_EQ(fs::status(folder_ / "new").permissions(), fs::status(folder_ / "usual").permissions());
  for (const auto mode : {fs::perms(0600), fs::perms(0640), fs::perms(0755)}) {
    fs::permissions(folder_ / "new", mode);
    ASSERT_TRUE(write_file(folder_ / "new", "y").ok());
    EXPECT_EQ(fs::status(folder_ / "new").permissions(), mode);
  }
}

TEST_F(AtomicFile, WritesWhereALinkLeadsAlsoToNothing) {
  fs::create_directories(folder_ / "deep");
  fs::create_symlink("deep/second", folder_ / "first");
  fs::create_symlink("../real", folder_ / "deep" / "second");
  for (const char* text : {"new", "replaced"}) {
    ASSERT_TRUE(write_file(folder_ / "first", text).ok());
    EXPECT_TRUE(fs::is_symlink(folder_ / "first"));
    EXPECT_TRUE(fs::is_symlink(folder_ / "deep" / "second"));
    EXPECT_FALSE(fs::is_symlink(folder_ / "real"));
    EXPECT_EQ(read(folder_ / "real"), text);
  }
  fs::create_symlink("round", folder_ / "round");
  const Status refused = write_file(folder_ / "round", "x");
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_TRUE(fs::is_symlink(folder_ / "round"));
}

// One may write into it, but not open it to flush it.
TEST_F(AtomicFile, AFolderThatCannotBeReadIsNoError) {
  constexpr uid_t kNobody = 65534;
  fs::permissions(folder_, fs::perms(0333));
  EXPECT_EQ(in_child([&] {
              if (::geteuid() == 0 && ::setuid(kNobody) != 0) return 1;
              if (::access(folder_.c_str(), R_OK) == 0) return 2;
              return write_file(folder_ / "a", "x").ok() ? 0 : 3;
            }),
            0);
  fs::permissions(folder_, fs::perms(0777));
  EXPECT_EQ(read(folder_ / "a"), "x");
  EXPECT_EQ(entries(), 1U);
}

TEST_F(AtomicFile, AFullDeviceIsAnError) {
  const Status status = write_file("/dev/full", std::string(1 << 16, 'x'));
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kIo);
}

// As /dev/stdout is one where another program reads it.
TEST_F(AtomicFile, APipeBehindALinkIsWrittenInto) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  fs::create_symlink("/dev/fd/" + std::to_string(ends[1]), folder_ / "out");
  EXPECT_TRUE(write_file(folder_ / "out", "text").ok());
  char read_back[5] = "";
  EXPECT_EQ(::read(ends[0], read_back, 4), 4);
  EXPECT_STREQ(read_back, "text");
  EXPECT_TRUE(fs::is_symlink(folder_ / "out"));
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_F(AtomicFile, AMissingFolderIsAnErrorThatNamesThePath) {
  const Status status = write_file(folder_ / "no" / "a", "x");
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find((folder_ / "no" / "a").string()), std::string::npos);
}

TEST_F(AtomicFile, APlaceIsCheckedAsWritingWouldFindIt) {
  EXPECT_TRUE(check_place_for_file(folder_ / "new").ok());
  EXPECT_TRUE(check_place_for_file("/dev/null").ok());
  EXPECT_TRUE(check_place_for_file("/dev/stdout").ok());
  EXPECT_EQ(check_place_for_file(folder_).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(check_place_for_file(folder_ / "no" / "new").error().code, ErrorCode::kNotFound);
  // A link is written through: what it leads to decides, from the folder where the link is.
  fs::create_symlink("new", folder_ / "to-new");
  fs::create_symlink("no/new", folder_ / "to-nowhere");
  fs::create_symlink("loop", folder_ / "loop");
  EXPECT_TRUE(check_place_for_file(folder_ / "to-new").ok());
  EXPECT_EQ(check_place_for_file(folder_ / "to-nowhere").error().code, ErrorCode::kNotFound);
  EXPECT_FALSE(check_place_for_file(folder_ / "loop").ok());
  const std::string too_long(255, 'n');  // itself a name, but not with what an unfinished file's adds
  EXPECT_FALSE(check_place_for_file(folder_ / too_long).ok());
  for (const std::string& name : {std::string("to-nowhere"), std::string("loop"), too_long})
    EXPECT_FALSE(write_file(folder_ / name, "x").ok());
  EXPECT_FALSE(fs::exists(folder_ / "new"));
}

TEST_F(AtomicFile, MappedFileRefusesFoldersEmptyAndLargeFiles) {
  std::ofstream(folder_ / "empty").close();
  std::ofstream(folder_ / "big") << "0123456789";
  EXPECT_EQ(MappedFile::open(folder_, 100).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::open(folder_ / "empty", 100).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(MappedFile::open(folder_ / "big", 9).error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(MappedFile::open(folder_ / "none", 9).error().code, ErrorCode::kNotFound);
  const auto file = MappedFile::open(folder_ / "big", 10);
  ASSERT_TRUE(file.ok());
  EXPECT_EQ((*file)->bytes().size(), 10U);
}

TEST_F(AtomicFile, AFileSetAppearsTogether) {
  ASSERT_TRUE(write_file(folder_ / "a", "first").ok());
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  FileSet files;
  ASSERT_TRUE(files.add(folder_ / "a", bytes("second")).ok());
  ASSERT_TRUE(files.add(folder_ / "b", bytes("new")).ok());
  EXPECT_EQ(read(folder_ / "a"), "first");
  EXPECT_FALSE(fs::exists(folder_ / "b"));
  ASSERT_TRUE(files.put_in_place().ok());
  EXPECT_EQ(read(folder_ / "a"), "second");
  EXPECT_EQ(read(folder_ / "b"), "new");
  EXPECT_EQ(entries(), 2U);
}

TEST_F(AtomicFile, AFileSetThatIsNotPutInPlaceLeavesNothing) {
  ASSERT_TRUE(write_file(folder_ / "a", "first").ok());
  {
    FileSet files;
    ASSERT_TRUE(files.add(folder_ / "a", std::as_bytes(std::span("second"))).ok());
    EXPECT_FALSE(files.add(folder_ / "missing" / "b", {}).ok());
    EXPECT_FALSE(files.add(folder_, {}).ok());
    EXPECT_FALSE(files.add("/dev/null", {}).ok());
  }
  EXPECT_EQ(read(folder_ / "a"), "first");
  EXPECT_EQ(entries(), 1U);
}

}  // namespace
}  // namespace bittern
