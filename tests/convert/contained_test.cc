#include "convert/contained.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <vector>

#include "audio/temp_folder.h"

namespace bittern::convert {
namespace {

bool says(const Expected<std::string>& outcome, ErrorCode code, const std::string& what) {
  return !outcome.ok() && outcome.error().code == code &&
         outcome.error().message.find(what) != std::string::npos;
}

bool left_a_process() { return ::waitpid(-1, nullptr, WNOHANG) >= 0 || errno != ECHILD; }

TEST(Contained, BytesAndErrorsComeBack) {
  const std::string large(1 << 20, 'x');  // more than a pipe holds
  const auto same = run_contained([&]() -> Expected<std::string> { return large; });
  ASSERT_TRUE(same.ok()) << same.error().message;
  EXPECT_EQ(*same, large);
  const auto empty = run_contained([]() -> Expected<std::string> { return std::string(); });
  ASSERT_TRUE(empty.ok()) << empty.error().message;
  EXPECT_EQ(*empty, "");
  const auto failed = run_contained([]() -> Expected<std::string> { return unsupported("too new"); });
  EXPECT_TRUE(says(failed, ErrorCode::kUnsupported, "too new"));
  const auto thrown =
      run_contained([]() -> Expected<std::string> { throw std::runtime_error("as it happens"); });
  EXPECT_TRUE(says(thrown, ErrorCode::kInternal, "as it happens"));
  EXPECT_FALSE(left_a_process());
}

TEST(Contained, WorkIsDoneElsewhere) {
  int changed = 0;
  const auto done = run_contained([&]() -> Expected<std::string> {
    changed = 1;
    return std::string("done");
  });
  EXPECT_TRUE(done.ok());
  EXPECT_EQ(changed, 0);
}

TEST(Contained, ACrashIsAnError) {
  const auto aborted = run_contained([]() -> Expected<std::string> { std::abort(); });
  EXPECT_TRUE(says(aborted, ErrorCode::kCorrupt, "crashes"));
  const auto killed = run_contained([]() -> Expected<std::string> {
    ::raise(SIGSEGV);
    return std::string("went on");
  });
  EXPECT_TRUE(says(killed, ErrorCode::kCorrupt, "crashes"));
  const auto ended = run_contained([]() -> Expected<std::string> { ::_exit(0); });
  EXPECT_TRUE(says(ended, ErrorCode::kCorrupt, "crashes")) << "an end without a word";
  EXPECT_FALSE(left_a_process());
}

TEST(Contained, TimeIsLimited) {
  const auto begin = std::chrono::steady_clock::now();
  const auto endless = run_contained(
      []() -> Expected<std::string> {
        for (std::atomic<int> turns = 0;; ++turns) {
        }
      },
      {.processor_seconds = 1});
  EXPECT_TRUE(says(endless, ErrorCode::kCorrupt, "more than 1 s"));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(Contained, MemoryIsLimited) {
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "AddressSanitizer reserves terabytes of addresses";
#else
  const auto greedy = run_contained([]() -> Expected<std::string> {
    const std::vector<char> much(std::size_t{3} << 30U, 'x');
    return std::string(1, much.back());
  });
  EXPECT_TRUE(says(greedy, ErrorCode::kCorrupt, "more than 2048 MiB"));
#endif
}

TEST(Contained, ResultsAreLimited) {
  const auto endless = run_contained([]() -> Expected<std::string> { return std::string(1 << 20, 'x'); },
                                     {.result_bytes = 1000});
  EXPECT_TRUE(says(endless, ErrorCode::kCorrupt, "more than any model holds"));
  EXPECT_FALSE(left_a_process());
}

TEST(Contained, NothingIsPrintedOrWritten) {
  const test::TempFolder folder;
  const std::string path = (folder / "file").string();
  testing::internal::CaptureStderr();
  testing::internal::CaptureStdout();
  const auto loud = run_contained([&]() -> Expected<std::string> {
    std::signal(SIGXFSZ, SIG_IGN);
    std::fputs("to standard error\n", stderr);
    std::puts("to standard output");
    std::fflush(stdout);
    std::ofstream(path) << "text";
    return std::string();
  });
  EXPECT_TRUE(loud.ok());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  EXPECT_EQ(testing::internal::GetCapturedStdout(), "");
  std::error_code error;
  EXPECT_TRUE(!std::filesystem::exists(path) || std::filesystem::file_size(path, error) == 0);
}

TEST(Contained, AnInterruptEndsIt) {
  const auto interrupted = run_contained([]() -> Expected<std::string> {
    ::raise(SIGINT);
    return std::string("went on");
  });
  EXPECT_TRUE(says(interrupted, ErrorCode::kCancelled, "interrupted"));
}

}  // namespace
}  // namespace bittern::convert
