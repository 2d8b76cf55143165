#include "cli/interrupt.h"

#include <atomic>
#include <csignal>

namespace bittern::cli {
namespace {

// The one mutable global: a signal handler has nothing else to write to.
std::atomic<bool> interrupt_seen{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int) noexcept { interrupt_seen.store(true, std::memory_order_relaxed); }

}  // namespace

void catch_interrupts() noexcept {
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    // Who started this in the background may have switched the signal off on purpose.
    struct sigaction before {};
    if (sigaction(signal, nullptr, &before) == 0 && before.sa_handler == SIG_IGN) continue;
    // No SA_RESTART: a blocked read returns, and its reader sees the flag. When a terminal ends, shell and
    // system may both say so: that is no second wish.
    action.sa_flags = signal == SIGHUP ? 0 : static_cast<int>(SA_RESETHAND);
    sigaction(signal, &action, nullptr);
  }
}

bool interrupted() noexcept { return interrupt_seen.load(std::memory_order_relaxed); }

Status check_interrupt() {
  if (interrupted()) return Error{ErrorCode::kCancelled, "interrupted"};
  return {};
}

}  // namespace bittern::cli
