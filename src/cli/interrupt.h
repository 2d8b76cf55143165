// Ctrl-C and SIGTERM as a flag that long work looks at.
#pragma once

#include "core/status.h"

namespace bittern::cli {

// From here on the first SIGINT or SIGTERM only sets the flag; a second one ends the program at once. One
// that was ignored when the program started stays so.
void catch_interrupts() noexcept;

// Safe from any thread.
bool interrupted() noexcept;

// kCancelled once interrupted; for loops: BITTERN_RETURN_IF_ERROR(check_interrupt()).
Status check_interrupt();

}  // namespace bittern::cli
