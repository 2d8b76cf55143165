// bittern-import, which `bittern import` becomes: a network trained elsewhere as a model of ours. HDF5, which
// brings curl and OpenSSL, is loaded by this program alone.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/separate.h"
#include "convert/larq_import.h"
#include "core/atomic_file.h"
#include "core/text.h"
#include "graph/network.h"
#include "model/file.h"
#include "runtime/self_test.h"

namespace bittern::cli {
namespace {

struct Options {
  std::string model;
  std::string from;
  std::string labels;
  std::string license;
  std::string out;
  bool quiet = false;
  convert::LarqOptions larq;
};

// A label a line.
Expected<std::vector<std::string>> read_labels(const std::string& file) {
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    return invalid_argument(file + ": is a folder; give a file with a label a line");
  std::ifstream stream(file);
  if (!stream) return not_found(file + ": cannot be read");
  std::vector<std::string> labels;
  for (std::string line; std::getline(stream, line);) {
    if (line.ends_with('\r')) line.pop_back();
    if (labels.size() == graph::kMaxClasses)
      return invalid_argument(fmt::format("{}: more than {} lines", file, graph::kMaxClasses));
    if (line.empty()) return invalid_argument(fmt::format("{}: line {} is empty", file, labels.size() + 1));
    labels.push_back(line);
  }
  if (labels.empty()) return corrupt(file + ": no labels; write one a line");
  return labels;
}

Status run(Options options) {
  if (!options.labels.empty()) {
    BITTERN_ASSIGN_OR_RETURN(options.larq.labels, read_labels(options.labels));
    options.larq.labels_from = options.labels;
  }
  BITTERN_RETURN_IF_ERROR(check_not_the_same(options.out, options.model));
  BITTERN_RETURN_IF_ERROR(check_place_for_file(options.out));
  BITTERN_ASSIGN_OR_RETURN(const convert::LarqImport imported,
                           convert::import_larq(options.model, options.larq));
  imported.model->provenance.license = options.license;
  BITTERN_ASSIGN_OR_RETURN(imported.model->self_test, runtime::compute_self_test(imported.model));
  BITTERN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, model::serialize(*imported.model));
  BITTERN_RETURN_IF_ERROR(write_file(options.out, bytes));
  if (options.quiet) return {};
  for (const std::string& line : imported.assumed) print_warning(fmt::format("{}: {}", options.model, line));
  return write_out(fmt::format("{}: {} bytes, {}, {}\n", options.out, bytes.size(),
                               counted(imported.model->network.exit_count(), "exit"),
                               counted(imported.model->labels.size(), "label")));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments
      .add("MODEL", options->model,
           "The trained network, a file of Keras 2 (HDF5): of model.save() or save_weights()")
      .check(not_empty())
      .required();
  arguments.add("--from NAME", options->from, "What wrote it: larq").check(one_of({"larq"})).required();
  add_architecture_argument(arguments, options->larq.architecture, "What it is").required();
  arguments
      .add("--placement NAME", options->larq.placement,
           "Where its exits stand: stem, paper, balanced, or layers such as s1.b2,s2.b4; without it `paper` "
           "for "
           "five exits, the network's end for one")
      .check(not_empty());
  arguments
      .add("--exit-quantizer NAME", options->larq.exit_quantizer,
           "Kernel quantizer of QuantDense exits, which a file of weights alone does not tell: ste_sign, "
           "magnitude_aware_sign or none")
      .check(one_of({"ste_sign", "magnitude_aware_sign", "none"}));
  arguments
      .add("--labels FILE", options->labels,
           "Labels of the classes, one a line; without it label-0, label-1, ...")
      .check(not_empty());
  arguments.add("--license TEXT", options->license, "Licence of the model, stored in it");
  arguments.add("--out FILE", options->out, "File to write, such as words.bittern")
      .check(not_empty())
      .required();
  arguments.flag("--quiet", options->quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

constexpr Command kProgram{kImportCommand.name, kImportCommand.summary, configure};

}  // namespace
}  // namespace bittern::cli

int main(int argc, char** argv) {
  return bittern::cli::run_separate_program(bittern::cli::kProgram, argc, argv);
}
