// bittern train --data DIR --out RUN: from labelled recordings to a model. A program of its own,
// bittern-train; several of them train together (training/launch.h).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/interrupt.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/progress.h"
#include "cli/train_options.h"
#include "core/text.h"
#include "training/launch.h"
#include "training/process_group.h"
#include "training/recipe.h"
#include "training/teacher_name.h"
#include "training/trainer.h"

namespace bittern::cli {

namespace fs = std::filesystem;

namespace {

class Observer final : public training::TrainObserver {
 public:
  Observer(const training::Recipe& recipe, bool quiet)
      : epochs_(recipe.epochs),
        batch_(recipe.batch),
        quiet_(quiet),
        reading_("reading", "clips", quiet),
        training_("training", "clips", quiet) {}

  void notice(const std::string& line) override {
    if (quiet_) return;
    clear();
    print_warning(line);
  }
  void loading(std::size_t done, std::size_t total) override { reading_.update(done, total); }
  void loaded(int /*clips*/, int skipped) override {
    reading_.clear();
    skipped_ = skipped;
  }
  void stepped(int epoch, std::size_t clips, std::size_t total, double loss) override {
    const std::size_t of_epoch = total / static_cast<std::size_t>(epochs_);
    if (of_epoch < static_cast<std::size_t>(batch_) && !told_of_batch_)
      notice(fmt::format(
          "--batch {}: there are only {} clips to train with, so an epoch is one step of them all", batch_,
          of_epoch));
    told_of_batch_ = true;
    training_.update(clips, total, fmt::format("epoch {}/{}  loss {:.3f}", epoch, epochs_, loss));
  }
  void finished_epoch(const training::EpochReport& report) override {
    clear();
    if (quiet_) return;
    std::vector<std::string> accuracies;
    for (const evaluation::Proportion& accuracy : report.accuracy)
      accuracies.push_back(fmt::format("{:.1f}", 100 * accuracy.value));
    const std::string rate =
        report.samples_per_s > 0 ? fmt::format("{:.0f}", report.samples_per_s) : std::string("-");
    static_cast<void>(write_out(fmt::format(
        "epoch {}/{}  loss {:.3f}  validation {} %  {} clips/s  {:.0f} s{}\n", report.epoch, epochs_,
        report.loss, fmt::join(accuracies, " "), rate, report.time_s, report.best ? "  best" : "")));
    static_cast<void>(flush_out());
  }
  bool stop() override { return interrupted(); }
  int skipped() const { return skipped_; }

 private:
  void clear() {
    reading_.clear();
    training_.clear();
  }

  int epochs_;
  int batch_;
  bool quiet_;
  bool told_of_batch_ = false;
  Progress reading_;
  Progress training_;
  int skipped_ = 0;
};

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

// Words to learn, mixed in as noise, say nothing of it otherwise. Only folders that could share files are
// looked into.
void warn_of_labelled_noise(const TrainCommandOptions& options, Observer& observer) {
  if (options.noise.empty()) return;
  std::error_code ignored;
  const fs::path noise = fs::weakly_canonical(options.noise, ignored);
  const fs::path data = fs::weakly_canonical(options.data, ignored);
  if (!lies_in(noise, data) && !lies_in(data, noise)) return;
  const auto files = datasets::noise_files(noise);
  const auto dataset = datasets::scan(data, options.train.scan);
  if (!files.ok() || !dataset.ok()) return;  // told by the training
  const std::set<fs::path> background(files->begin(), files->end());
  const auto shared = std::ranges::count_if(
      dataset->clips, [&](const datasets::Clip& clip) { return background.contains(clip.path); });
  if (shared > 0)
    observer.notice(
        fmt::format("--noise {}: {} of its {} recordings are labelled clips of --data, which are "
                    "mixed into others as if they were noise",
                    options.noise, shared, files->size()));
}

// The processes that this one was started with; none where it was started alone.
Expected<training::ProcessGroup> join_group(const TrainCommandOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(const std::optional<training::Launch> launch,
                           training::read_launch([](const char* name) { return std::getenv(name); }));
  if (!launch) return training::ProcessGroup();
  training::ProcessGroup::Settings settings;
  settings.timeout = std::chrono::seconds(options.rank_timeout_s);
  settings.stop = interrupted;
  return training::ProcessGroup::connect(*launch, std::move(settings));
}

Status run(TrainCommandOptions& options) {
  options.apply_words();
  if (!options.teachers.empty() && options.train.recipe.loss.distillation == 0)
    fail_usage("--teacher teaches nothing with --distillation 0: give it a share of the loss, above 0");
  BITTERN_ASSIGN_OR_RETURN(options.train.recipe.teachers, training::name_teachers(options.train.teachers));
  if (const Status valid = training::check(options.train.recipe); !valid.ok())
    fail_usage(valid.error().message);
  BITTERN_ASSIGN_OR_RETURN(training::ProcessGroup group, join_group(options));
  const bool quiet = options.quiet || !group.is_first();
  Observer observer(options.train.recipe, quiet);
  warn_of_labelled_noise(options, observer);
  BITTERN_RETURN_IF_ERROR(training::train(options.train, group, observer));
  if (quiet) return {};
  if (observer.skipped() > 0) {
    print_warning(fmt::format("{} could not be read and {} left out",
                              counted(observer.skipped(), "recording"),
                              observer.skipped() == 1 ? "was" : "were"));
  }
  return write_out(fmt::format("best model: {}\n", training::RunFolder{options.train.out}.best().string()));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<TrainCommandOptions>();
  add_train_options(arguments, *options);
  return [options] { return run(*options); };
}

constexpr Command kProgram{kTrainCommand.name, kTrainCommand.summary, configure};

}  // namespace
}  // namespace bittern::cli

int main(int argc, char** argv) {
  return bittern::cli::run_separate_program(bittern::cli::kProgram, argc, argv);
}
