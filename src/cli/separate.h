// Commands that are programs of their own: `bittern NAME ...` becomes `bittern-NAME ...`, the file beside the
// running program, wherever that was built, installed or moved to.
#pragma once

#include <string>
#include <vector>

#include "cli/command.h"
#include "core/status.h"

namespace bittern::cli {

// Where the command's program must lie: beside this one. Links are followed: of /usr/local/bin/bittern ->
// /opt/bittern/bin/bittern the latter's neighbour is meant.
Expected<std::string> program_of(const Command& command);

// Whether the command's program is there.
bool is_installed(const Command& command);

// Replaces this process by the command's program, with argv[2] and on as its arguments. Returns only where
// that fails; the error says what to do.
Error become(const Command& command, const char* const* argv);
// The same with these arguments.
Error become(const Command& command, const std::vector<std::string>& arguments);

}  // namespace bittern::cli
