// bittern-onnx, which `bittern export --to onnx` becomes: a model as ONNX graphs. libonnx and protobuf are
// loaded by this program alone.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cli/command.h"
#include "cli/export_options.h"
#include "cli/interrupt.h"
#include "cli/onnx_metadata.h"
#include "cli/output.h"
#include "cli/program.h"
#include "convert/onnx_export.h"
#include "core/atomic_file.h"
#include "core/text.h"

namespace bittern::cli {
namespace {

namespace fs = std::filesystem;

struct Graph {
  int exit = 0;  // the only one in it; 0: all
  fs::path file;
};

// "words.onnx" and exit 2: "words.exit2.onnx".
fs::path name_for_exit(const fs::path& out, int exit) {
  fs::path file = out;
  return file.replace_filename(
      fmt::format("{}.exit{}{}", out.stem().string(), exit, out.extension().string()));
}

Expected<std::vector<Graph>> graphs_of(const ExportOptions& options, int exits) {
  if (!options.exits.empty() && options.exits != "all" && options.exits != "each") {
    const int exit = std::stoi(options.exits);
    if (exit > exits)
      return invalid_argument(fmt::format("--exits {}: the model has {}", exit, counted(exits, "exit")));
    return std::vector<Graph>{{exit, options.out}};
  }
  std::vector<Graph> graphs;
  if (options.exits != "each") graphs.push_back({0, options.out});
  for (int exit = 1; options.exits != "all" && exit <= exits; ++exit)
    graphs.push_back({exit, name_for_exit(options.out, exit)});
  return graphs;
}

Status run(const ExportOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(const std::string file, file_to_export(options));
  BITTERN_ASSIGN_OR_RETURN(const model::Model model, open_for_export(file, options));
  const int exits = model.network.exit_count();
  const Expected<std::vector<Graph>> graphs = graphs_of(options, exits);
  if (!graphs.ok()) fail_usage(graphs.error().message);
  for (const Graph& graph : *graphs) {
    BITTERN_RETURN_IF_ERROR(check_not_the_same(graph.file.string(), file));
    BITTERN_RETURN_IF_ERROR(check_place_for_file(graph.file));
  }
  FileSet files;
  std::string report;
  for (const Graph& graph : *graphs) {
    BITTERN_RETURN_IF_ERROR(check_interrupt());
    const Expected<std::string> onnx =
        convert::export_onnx(model, {.exit = graph.exit, .metadata = onnx_metadata(model, graph.exit)});
    if (!onnx.ok()) return Error{onnx.error().code, fmt::format("{}: {}", file, onnx.error().message)};
    const auto bytes = std::as_bytes(std::span(onnx->data(), onnx->size()));
    // One file alone may be a device.
    BITTERN_RETURN_IF_ERROR(graphs->size() == 1 ? write_file(graph.file, bytes)
                                                : files.add(graph.file, bytes));
    report += fmt::format("{}: {} bytes, {}, {}\n", graph.file.string(), bytes.size(),
                          graph.exit == 0 ? counted(exits, "exit") : fmt::format("exit {}", graph.exit),
                          counted(model.labels.size(), "label"));
  }
  BITTERN_RETURN_IF_ERROR(files.put_in_place());
  return options.quiet ? Status() : write_out(report);
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<ExportOptions>();
  add_export_arguments(arguments, *options);
  return [options] { return run(*options); };
}

}  // namespace
}  // namespace bittern::cli

int main(int argc, char** argv) {
  const bittern::cli::Command program{bittern::cli::kExportCommand.name, bittern::cli::kExportCommand.summary,
                                      bittern::cli::configure};
  return bittern::cli::run_separate_program(program, argc, argv);
}
