// bittern export RUN --out FILE: the best model of a training, checked, as a file of its own.
#include <fmt/format.h>

#include <filesystem>
#include <memory>
#include <string>

#include "cli/command.h"
#include "cli/output.h"
#include "model/file.h"
#include "runtime/self_test.h"
#include "training/run_folder.h"

namespace bittern::cli {
namespace {

struct Options {
  std::string run;
  std::string out;
  std::string data_name;
  std::string license;
  bool quiet = false;
};

Status run(const Options& options) {
  const training::RunFolder folder{options.run};
  std::error_code ignored;
  if (!std::filesystem::exists(folder.best(), ignored)) {
    return not_found(
        fmt::format("{}: no best model there yet; a training writes it after its first epoch", options.run));
  }
  BITTERN_ASSIGN_OR_RETURN(const auto best, model::open(folder.best()));
  model::Model model = *best;
  if (!options.data_name.empty()) model.provenance.data_name = options.data_name;
  if (!options.license.empty()) model.provenance.license = options.license;
  // Computed, not copied: the file must hold what this build computes.
  BITTERN_ASSIGN_OR_RETURN(model.self_test, runtime::compute_self_test(best));
  BITTERN_RETURN_IF_ERROR(model::save(model, options.out));
  BITTERN_ASSIGN_OR_RETURN(const auto written, model::open(options.out));
  BITTERN_RETURN_IF_ERROR(runtime::run_self_test(written));
  if (options.quiet) return {};
  return write_out(fmt::format("{}: {} bytes, {} exits, {} labels\n", options.out,
                               std::filesystem::file_size(options.out, ignored),
                               written->network.exit_count(), written->labels.size()));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  arguments.add("RUN", options->run, "Run folder of a training").required();
  arguments.add("--out FILE", options->out, "File to write, such as words.bittern").required();
  arguments.add("--data-name NAME", options->data_name, "Name of the training data, stored in the model");
  arguments.add("--license TEXT", options->license, "Licence of the model, stored in it");
  arguments.flag("--quiet", options->quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

}  // namespace

const Command kExportCommand{"export", "Write the best model of a training to a file", configure};

}  // namespace bittern::cli
