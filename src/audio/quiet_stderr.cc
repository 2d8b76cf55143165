#include "audio/quiet_stderr.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <mutex>

namespace bittern::audio {

namespace {

// Standard error belongs to the process: the first one silences it, the last one gives it back.
struct Shared {
  std::mutex mutex;
  int living = 0;
  int saved = -1;  // where standard error went before; -1: it was left alone
};

Shared& shared() {
  static Shared one;
  return one;
}

}  // namespace

QuietStderr::QuietStderr() {
  Shared& state = shared();
  const std::lock_guard lock(state.mutex);
  if (state.living++ > 0) return;
  std::fflush(stderr);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  state.saved = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  if (state.saved >= 0) ::dup2(nowhere, STDERR_FILENO);
  ::close(nowhere);
}

QuietStderr::~QuietStderr() {
  Shared& state = shared();
  const std::lock_guard lock(state.mutex);
  if (--state.living > 0 || state.saved < 0) return;
  std::fflush(stderr);
  ::dup2(state.saved, STDERR_FILENO);
  ::close(state.saved);
  state.saved = -1;
}

}  // namespace bittern::audio
