// The commands of `bittern`. One file per command here, one line in main.cc's list.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string_view>

#include "core/status.h"

namespace bittern::cli {

// Wrong usage is found while parsing (CLI11 validators; exit status 2), or by fail_usage() of options.h. What
// `run` returns as an Error is printed as one line on standard error (exit status 1; kCancelled 130); with an
// empty message it fails without another line.
struct Command {
  std::string_view name;
  std::string_view summary;
  // Adds the command's options to `app` and returns what to run once they are parsed.
  std::function<Status()> (*configure)(CLI::App& app);
};

extern const Command kClassifyCommand;
extern const Command kEvaluateCommand;
extern const Command kExportCommand;  // with BITTERN_TRAINING
extern const Command kInspectCommand;
extern const Command kTrainCommand;  // with BITTERN_TRAINING

}  // namespace bittern::cli
