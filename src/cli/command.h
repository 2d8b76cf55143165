// The commands of `bittern`. One file per command here, one line in main.cc's list.
#pragma once

#include <functional>
#include <string_view>

#include "cli/arguments.h"
#include "core/status.h"

namespace bittern::cli {

// Wrong usage is found while parsing, by an argument's Check, or by fail_usage() (exit status 2). What `run`
// returns as an Error is printed as one line on standard error (exit status 1; kCancelled 130); with an
// empty message it fails without another line.
struct Command {
  std::string_view name;
  std::string_view summary;
  // Adds the command's arguments and returns what to run once they are parsed. Null: the command needs
  // libraries that no other may load and is a program of its own (separate.h).
  std::function<Status()> (*configure)(Arguments& arguments);
  // Of a program of its own: the build option that brings it, and the library that this needs.
  std::string_view option = {};
  std::string_view library = {};
};

extern const Command kBenchCommand;
extern const Command kCalibrateCommand;
extern const Command kClassifyCommand;
extern const Command kEvaluateCommand;
extern const Command kExportCommand;
extern const Command kInspectCommand;
extern const Command kReproduceCommand;

// libtorch: the program bittern-train.
inline constexpr Command kTrainCommand{"train", "Train a network with early exits on labelled recordings",
                                       nullptr, "BITTERN_TRAINING", "libtorch (Debian: libtorch-dev)"};

// HDF5: the program bittern-import.
inline constexpr Command kImportCommand{"import", "Make a model of a network that was trained in Larq",
                                        nullptr, "BITTERN_CONVERT", "HDF5 (Debian: libhdf5-dev)"};

// libonnx: the program bittern-onnx, which `bittern export --to onnx` becomes.
inline constexpr Command kOnnxCommand{"onnx", "Write a model as an ONNX graph", nullptr, "BITTERN_ONNX",
                                      "libonnx and protobuf (Debian: libonnx-dev, libprotobuf-dev)"};

}  // namespace bittern::cli
