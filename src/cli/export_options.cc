#include "cli/export_options.h"

#include <fmt/format.h>

#include <filesystem>

#include "cli/output.h"
#include "core/text.h"
#include "graph/network.h"
#include "model/file.h"
#include "training/run_folder.h"

namespace bittern::cli {

namespace fs = std::filesystem;

namespace {

Check is_choice_of_exits() {
  return {"", [](const std::string& text) {
            if (text == "all" || text == "each") return std::string();
            const std::string complaint = whole_within(1, graph::kMaxExits).complaint(text);
            return complaint.empty()
                       ? complaint
                       : fmt::format("'{}' is neither all, each nor the number of an exit", text);
          }};
}

}  // namespace

void add_export_arguments(Arguments& arguments, ExportOptions& options) {
  arguments.add("MODEL", options.model, "A .bittern file, or the run folder of a training: its best model")
      .check(not_empty())
      .required();
  arguments.add("--out FILE", options.out, "File to write, such as words.bittern or words.onnx")
      .check(not_empty())
      .required();
  arguments.add("--to FORMAT", options.to, "What to write: bittern, or onnx for other runtimes")
      .check(one_of({"bittern", kToOnnx}))
      .show_default();
  arguments
      .add("--exits WHICH", options.exits,
           "Of onnx: all for one graph with every exit's logits; each for a graph per exit, NAME.exit1.onnx, "
           "...; a number for the graph of that exit, as FILE; without it all and each")
      .check(is_choice_of_exits());
  arguments.add("--data-name NAME", options.data_name, "Name of the training data, stored in the model");
  arguments.add("--license TEXT", options.license, "Licence of the model, stored in it");
  arguments.flag("--quiet", options.quiet, "Print nothing but errors");
}

std::vector<std::string> command_line(const ExportOptions& options) {
  std::vector<std::string> line;
  const auto add = [&](const char* option, const std::string& value) {
    if (!value.empty()) line.push_back(fmt::format("{}={}", option, value));
  };
  add("--to", options.to);
  add("--out", options.out);
  add("--exits", options.exits);
  add("--data-name", options.data_name);
  add("--license", options.license);
  if (options.quiet) line.emplace_back("--quiet");
  // It may begin like an option.
  line.emplace_back("--");
  line.push_back(options.model);
  return line;
}

namespace {

Expected<std::string> model_file(const ExportOptions& options) {
  std::error_code ignored;
  if (!fs::exists(options.model, ignored))
    return not_found(fmt::format("{}: no such file or folder", options.model));
  if (!fs::is_directory(options.model, ignored)) return options.model;
  const fs::path best = training::RunFolder{options.model}.best();
  if (fs::exists(best, ignored)) return best.string();
  if (fs::exists(training::RunFolder{options.model}.recipe(), ignored))
    return not_found(fmt::format("{}: no best model there yet; a training writes it after its first epoch",
                                 options.model));
  return invalid_argument(
      fmt::format("{}: neither a .bittern file nor the run folder of a training", options.model));
}

// The ending that names have in the other format says that one of the two options is a slip.
void check_ending(const ExportOptions& options) {
  const std::string ending = lower_case(fs::path(options.out).extension().string());
  const bool onnx = options.to == kToOnnx;
  if (ending == (onnx ? ".bittern" : ".onnx"))
    fail_usage(
        fmt::format("--out {}: ends in {}, but --to is {}", one_line(options.out), ending, options.to));
}

}  // namespace

Expected<std::string> file_to_export(const ExportOptions& options) {
  check_ending(options);
  BITTERN_ASSIGN_OR_RETURN(std::string file, model_file(options));
  BITTERN_RETURN_IF_ERROR(check_not_the_same(options.out, file));
  return file;
}

Expected<model::Model> open_for_export(const std::string& file, const ExportOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(const auto opened, model::open(file));
  model::Model model = *opened;
  if (!options.data_name.empty()) model.provenance.data_name = options.data_name;
  if (!options.license.empty()) model.provenance.license = options.license;
  return model;
}

}  // namespace bittern::cli
