#include "cli/footprint.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "cli/interrupt.h"
#include "cli/library_sizes.h"
#include "cli/memory_file.h"
#include "model/file.h"
#include "runtime/self_test.h"
#include "runtime/session.h"

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace bittern::cli {
namespace {

using Clock = std::chrono::steady_clock;

double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

// Bytes of heap in use; none where nobody counts (another C library, or a sanitizer's heap).
std::optional<std::size_t> heap_in_use() {
#if defined(__GLIBC__)
  const struct mallinfo2 info = ::mallinfo2();
  if (info.uordblks + info.hblkhd > 0) return info.uordblks + info.hblkhd;
#endif
  return std::nullopt;
}

// 16-bit PCM of one window, as `classify --raw` reads it.
std::string pcm_of(const std::vector<float>& samples) {
  std::string bytes;
  for (const float sample : samples) {
    const auto value = static_cast<int>(std::clamp(sample, -1.0F, 1.0F) * 32767.0F);
    bytes += static_cast<char>(value & 0xFF);
    bytes += static_cast<char>(value >> 8 & 0xFF);
  }
  return bytes;
}

struct Loaded {
  std::shared_ptr<const model::Model> model;
  std::optional<runtime::Session> session;
};

class Measurement {
 public:
  explicit Measurement(const std::string& path) : path_(path) {}

  Expected<Footprint> run(int runs, const std::function<bool(std::size_t, std::size_t)>& go_on) {
    Footprint result;
    result.runs = runs;
    std::error_code error;
    result.model_bytes = std::filesystem::file_size(path_, error);
    if (error) return io_error(fmt::format("{}: {}", path_, error.message()));
    BITTERN_RETURN_IF_ERROR(memory(result));
    const std::string pcm = pcm_of(samples_);
    BITTERN_ASSIGN_OR_RETURN(const MemoryFile clip, MemoryFile::create(std::as_bytes(std::span(pcm))));
    const std::vector<std::string> line{"bittern", "classify",           path_, clip.path(), "--raw",
                                        "--rate",  std::to_string(rate_)};
    for (int i = 0; i < runs; ++i) {
      if (go_on && !go_on(static_cast<std::size_t>(i), static_cast<std::size_t>(runs)))
        return Error{ErrorCode::kCancelled, "interrupted"};
      BITTERN_RETURN_IF_ERROR(load());
      BITTERN_RETURN_IF_ERROR(first_answer(line));
    }
    result.open_us = evaluation::quantiles(open_);
    result.plan_us = evaluation::quantiles(plan_);
    result.load_us = evaluation::quantiles(load_);
    result.first_answer_us = evaluation::quantiles(first_);
    if (kLibraryBytes > 0) {
      result.library_bytes = kLibraryBytes;
      result.library_with_cxx_runtime_bytes = kLibraryBytesWithCxxRuntime;
    }
    return result;
  }

 private:
  // Also makes all that the first use of the library makes, so that runs are alike.
  Status memory(Footprint& result) {
    for (int i = 0; i < 2; ++i) {
      const auto before = heap_in_use();
      Loaded loaded;
      BITTERN_ASSIGN_OR_RETURN(loaded.model, model::open(path_));
      BITTERN_ASSIGN_OR_RETURN(loaded.session, runtime::Session::create(loaded.model));
      const auto held = heap_in_use();
      samples_ = runtime::self_test_audio(loaded.model->front_end);
      rate_ = loaded.model->front_end.sample_rate;
      const auto after_samples = heap_in_use();
      runtime::Classification answer;
      BITTERN_RETURN_IF_ERROR(loaded.session->classify(samples_, exits::Policy{}, answer));
      result.arena_bytes = loaded.session->arena_bytes();
      if (!before) continue;
      const std::size_t bytes = *held - *before + (*heap_in_use() - *after_samples);
      // A sanitizer's heap is another one, of which nobody tells.
      if (bytes >= result.arena_bytes) result.memory_bytes = bytes;
    }
    return {};
  }

  Status load() {
    const Clock::time_point start = Clock::now();
    BITTERN_ASSIGN_OR_RETURN(const auto model, model::open(path_));
    const Clock::time_point opened = Clock::now();
    BITTERN_ASSIGN_OR_RETURN(const runtime::Session session, runtime::Session::create(model));
    const Clock::time_point planned = Clock::now();
    open_.push_back(microseconds(opened - start));
    plan_.push_back(microseconds(planned - opened));
    load_.push_back(microseconds(planned - start));
    return {};
  }

  // Starts this program anew and waits until it prints.
  Status first_answer(const std::vector<std::string>& line) {
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0)
      return io_error(fmt::format("cannot make a pipe: {}", std::strerror(errno)));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe[1], STDOUT_FILENO);
    std::vector<char*> arguments;
    arguments.reserve(line.size() + 1);
    for (const std::string& word : line) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t child = 0;
    const Clock::time_point start = Clock::now();
    const int failed = ::posix_spawn(&child, "/proc/self/exe", &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe[1]);
    if (failed == 0) {
      char byte = 0;
      const ssize_t got = ::read(pipe[0], &byte, 1);
      first_.push_back(microseconds(Clock::now() - start));
      std::array<char, 4096> rest{};
      while (got > 0 && ::read(pipe[0], rest.data(), rest.size()) > 0) {
      }
      int status = 0;
      while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
      }
      ::close(pipe[0]);
      if (interrupted()) return Error{ErrorCode::kCancelled, "interrupted"};
      return WIFEXITED(status) && WEXITSTATUS(status) == 0 && got == 1
                 ? Status()
                 : Status(Error{ErrorCode::kInternal, "bittern, started anew, gave no answer"});
    }
    ::close(pipe[0]);
    return io_error(fmt::format("cannot start bittern anew: {}", std::strerror(failed)));
  }

  const std::string& path_;
  std::vector<float> samples_;
  int rate_ = 0;
  std::vector<double> open_, plan_, load_, first_;
};

}  // namespace

Expected<Footprint> measure_footprint(const std::string& path, int runs,
                                      const std::function<bool(std::size_t, std::size_t)>& go_on) {
  return Measurement(path).run(runs, go_on);
}

}  // namespace bittern::cli
