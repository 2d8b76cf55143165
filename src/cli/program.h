// What main() of every program does: finds the command, parses, runs, and turns the outcome into an exit
// status (docs/command-line.md).
#pragma once

#include <span>

#include "cli/command.h"

namespace bittern::cli {

// `bittern` with these commands, in the order of --help.
int run_program(std::span<const Command* const> commands, int argc, const char* const* argv);

// A program of its own for one command, which reads, fails and explains itself as `bittern <name>`.
int run_separate_program(const Command& command, int argc, const char* const* argv);

}  // namespace bittern::cli
