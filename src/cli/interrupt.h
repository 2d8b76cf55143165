// Ctrl-C, SIGTERM and the end of the terminal (SIGHUP) as a flag that long work looks at.
#pragma once

#include "core/status.h"

namespace bittern::cli {

// From here on SIGINT, SIGTERM and SIGHUP only set the flag, but a second SIGINT or SIGTERM ends the program
// at once. One that was ignored when the program started stays so, as SIGHUP is under nohup.
void catch_interrupts() noexcept;

// Safe from any thread.
bool interrupted() noexcept;

// kCancelled once interrupted; for loops: BITTERN_RETURN_IF_ERROR(check_interrupt()).
Status check_interrupt();

}  // namespace bittern::cli
