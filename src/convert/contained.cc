#include "convert/contained.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <exception>
#include <new>
#include <string_view>
#include <utility>

#include "core/descriptor.h"

namespace bittern::convert {
namespace {

// The first byte of what a process sends: kResult, or kFailure + an error's code.
constexpr char kResult = 0;
constexpr char kFailure = 1;

// AddressSanitizer reserves terabytes of addresses.
#if defined(__SANITIZE_ADDRESS__)
constexpr bool kLimitsMemory = false;
#else
constexpr bool kLimitsMemory = true;
#endif

Error no_process(int reason) {
  return io_error(fmt::format("cannot start a process to read it: {}", std::strerror(reason)));
}

void limit(__rlimit_resource_t what, std::size_t soft, std::size_t hard) {
  const rlimit limits{soft, hard};
  ::setrlimit(what, &limits);
}

void restrict_process(const ContainedLimits& limits) {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGPIPE, SIG_DFL);
  const auto seconds = static_cast<std::size_t>(limits.processor_seconds);
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_FSIZE, 0, 0);                // of files; a pipe has no size
  limit(RLIMIT_CPU, seconds, seconds + 1);  // first SIGXCPU, which tells why it ended
  if (kLimitsMemory) limit(RLIMIT_AS, limits.memory_bytes, limits.memory_bytes);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    if (nowhere >= 0) ::dup2(nowhere, output);
}

bool send(int pipe, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(pipe, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

bool send_outcome(int pipe, const Expected<std::string>& outcome) {
  if (outcome.ok()) return send(pipe, {&kResult, 1}) && send(pipe, *outcome);
  const char first = static_cast<char>(kFailure + static_cast<char>(outcome.error().code));
  return send(pipe, {&first, 1}) && send(pipe, outcome.error().message);
}

Error too_much_memory(const ContainedLimits& limits) {
  return corrupt(fmt::format("reading it takes more than {} MiB; it is damaged", limits.memory_bytes >> 20U));
}

// What the process does. It ends without unwinding: nothing of its parent may be flushed or run twice.
[[noreturn]] void work_and_end(const std::function<Expected<std::string>()>& work,
                               const ContainedLimits& limits, int pipe) {
  restrict_process(limits);
  bool sent = false;
  try {
    sent = send_outcome(pipe, work());
  } catch (const std::bad_alloc&) {
    sent = send_outcome(pipe, too_much_memory(limits));
  } catch (const std::exception& error) {
    sent = send_outcome(pipe, Error{ErrorCode::kInternal, error.what()});
  }
  ::_exit(sent ? 0 : 1);
}

// All that comes, up to one byte more than `most`.
std::string receive(int pipe, std::size_t most) {
  std::string bytes;
  std::array<char, 65536> some{};
  while (bytes.size() <= most) {
    const ssize_t count = ::read(pipe, some.data(), some.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    bytes.append(some.data(), static_cast<std::size_t>(count));
  }
  return bytes;
}

int wait_for(pid_t process) {
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

Error why(int status, const ContainedLimits& limits) {
  const int signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  if (signal == SIGINT) return {ErrorCode::kCancelled, "interrupted"};
  if (signal == SIGKILL) return {ErrorCode::kOutOfMemory, "the process that read it was killed"};
  if (signal == SIGXCPU)
    return corrupt(fmt::format("reading it takes more than {} s; it is damaged", limits.processor_seconds));
  return corrupt("reading it crashes the HDF5 library; it is damaged");
}

}  // namespace

Expected<std::string> run_contained(const std::function<Expected<std::string>()>& work,
                                    const ContainedLimits& limits) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return no_process(errno);
  Descriptor reading(ends[0]), writing(ends[1]);
  const pid_t process = ::fork();
  if (process < 0) return no_process(errno);
  if (process == 0) work_and_end(work, limits, writing.number());
  writing.close();
  std::string bytes = receive(reading.number(), limits.result_bytes);
  reading.close();
  if (bytes.size() > limits.result_bytes) {
    ::kill(process, SIGKILL);
    wait_for(process);
    return corrupt("reading it gives more than any model holds; it is damaged");
  }
  const int status = wait_for(process);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0 || bytes.empty()) return why(status, limits);
  const char first = bytes.front();
  bytes.erase(0, 1);
  if (first == kResult) return bytes;
  const int code = first - kFailure;
  if (code < 0 || code > static_cast<int>(ErrorCode::kInternal)) return why(status, limits);
  return Error{static_cast<ErrorCode>(code), std::move(bytes)};
}

}  // namespace bittern::convert
