// What `bittern export` is told, by two programs: bittern itself and, with --to onnx, bittern-onnx.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "core/status.h"
#include "model/model.h"

namespace bittern::cli {

inline constexpr const char* kToOnnx = "onnx";

struct ExportOptions {
  std::string model;
  std::string to = "bittern";
  std::string out;
  std::string exits;  // "all", "each", a number; empty: all and each
  std::string data_name;
  std::string license;
  bool quiet = false;
};

void add_export_arguments(Arguments& arguments, ExportOptions& options);

// What to write on the command line for these options.
std::vector<std::string> command_line(const ExportOptions& options);

// The model file that is meant: the options' MODEL, or the best model of that run folder. Wrong usage where
// the name of --out ends like another format's; an error where that is the model file itself.
Expected<std::string> file_to_export(const ExportOptions& options);

// The model in there with the names that the options give it.
Expected<model::Model> open_for_export(const std::string& file, const ExportOptions& options);

}  // namespace bittern::cli
