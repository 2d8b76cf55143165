// bittern export RUN --out FILE: the best model of a training, checked, as a file of its own.
#include <fmt/format.h>

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/output.h"
#include "core/atomic_file.h"
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
    const bool folder_there = std::filesystem::is_directory(folder.root, ignored);
    return not_found(fmt::format("{}: {}", options.run,
                                 folder_there
                                     ? "no best model there yet; a training writes it after its first epoch"
                                     : "no such folder"));
  }
  BITTERN_ASSIGN_OR_RETURN(const auto best, model::open(folder.best()));
  model::Model model = *best;
  if (!options.data_name.empty()) model.provenance.data_name = options.data_name;
  if (!options.license.empty()) model.provenance.license = options.license;
  // The self-test stays the trainer's: passing it shows that the file, read back, computes here what it
  // computed there.
  BITTERN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, model::serialize(model));
  BITTERN_ASSIGN_OR_RETURN(const auto written, model::read_copy(bytes));
  if (const Status same = runtime::run_self_test(written); !same.ok())
    return Error{same.error().code, fmt::format("{}: {}", folder.best().string(), same.error().message)};
  BITTERN_RETURN_IF_ERROR(write_file(options.out, bytes));
  if (options.quiet) return {};
  return write_out(fmt::format("{}: {} bytes, {} exits, {} labels\n", options.out, bytes.size(),
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
