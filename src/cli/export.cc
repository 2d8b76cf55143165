// bittern export MODEL --out FILE: the best model of a training, checked, as a file of its own; with --to
// onnx the program bittern-onnx takes over.
#include <fmt/format.h>

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/export_options.h"
#include "cli/output.h"
#include "cli/separate.h"
#include "core/atomic_file.h"
#include "core/text.h"
#include "model/file.h"
#include "runtime/self_test.h"

namespace bittern::cli {
namespace {

Status run(const ExportOptions& options) {
  if (options.to == kToOnnx) return become(kOnnxCommand, command_line(options));
  if (!options.exits.empty()) fail_usage("--exits goes with --to onnx");
  BITTERN_ASSIGN_OR_RETURN(const std::string file, file_to_export(options));
  BITTERN_ASSIGN_OR_RETURN(const model::Model model, open_for_export(file, options));
  // The self-test stays the trainer's: passing it shows that the file, read back, computes here what it
  // computed there.
  BITTERN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, model::serialize(model));
  BITTERN_ASSIGN_OR_RETURN(const auto written, model::read_copy(bytes));
  if (const Status same = runtime::run_self_test(written); !same.ok())
    return Error{same.error().code, fmt::format("{}: {}", file, same.error().message)};
  BITTERN_RETURN_IF_ERROR(write_file(options.out, bytes));
  if (options.quiet) return {};
  return write_out(fmt::format("{}: {} bytes, {}, {}\n", options.out, bytes.size(),
                               counted(written->network.exit_count(), "exit"),
                               counted(written->labels.size(), "label")));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<ExportOptions>();
  add_export_arguments(arguments, *options);
  return [options] { return run(*options); };
}

}  // namespace

const Command kExportCommand{"export", "Write a model to a file: a training's best, or as ONNX", configure};

}  // namespace bittern::cli
