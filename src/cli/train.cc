// bittern train --data DIR --out RUN: from labelled recordings to a model. A program of its own,
// bittern-train; several of them train together (training/launch.h).
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cli/interrupt.h"
#include "cli/layout_options.h"
#include "cli/network_options.h"
#include "cli/output.h"
#include "cli/program.h"
#include "cli/progress.h"
#include "datasets/dataset.h"
#include "graph/architecture.h"
#include "training/launch.h"
#include "training/process_group.h"
#include "training/recipe.h"
#include "training/trainer.h"

namespace bittern::cli {

namespace fs = std::filesystem;

namespace {

constexpr int kMostRankTimeoutS = 7 * 24 * 3600;

struct Options {
  training::TrainOptions train;
  std::string data;
  std::string noise;
  std::vector<std::string> teachers;
  std::string out;
  ExitOptions exits;
  std::string schedule = "cosine";
  std::string bop_schedule;       // empty: as schedule
  double bop_warmup_epochs = -1;  // below 0: a share of all
  std::string exit_weighting = "fixed";
  std::string binary_optimizer = "bop";
  std::string precision = "auto";
  bool no_augment = false;
  bool no_random_window = false;
  bool no_shift = false;
  bool no_noise = false;
  bool no_spec_augment = false;
  bool resume = false;
  bool overwrite = false;
  bool quiet = false;
  int rank_timeout_s = 600;
};

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

void apply_words(Options& options) {
  training::Recipe& recipe = options.train.recipe;
  recipe.placement = options.exits.placement;
  recipe.pool = options.exits.pool_value();
  recipe.exit_dense = options.exits.dense_value();
  const std::string& bop_schedule = options.bop_schedule.empty() ? options.schedule : options.bop_schedule;
  recipe.schedule = *training::parse_schedule(options.schedule);
  recipe.bop_schedule = *training::parse_schedule(bop_schedule);
  recipe.bop_warmup_epochs = options.bop_warmup_epochs >= 0
                                 ? options.bop_warmup_epochs
                                 : training::kBopWarmupShare * std::max(0, recipe.shortest_stage());
  recipe.loss.weighting = *training::parse_weighting(options.exit_weighting);
  recipe.binary_optimizer =
      options.binary_optimizer == "adam" ? training::BinaryOptimizer::kAdam : training::BinaryOptimizer::kBop;
  recipe.precision = *training::parse_precision(options.precision);
  training::AugmentSettings& augment = recipe.augment;
  if (options.no_random_window || options.no_augment) augment.random_window = false;
  if (options.no_shift || options.no_augment) augment.shift_ms = 0;
  if (options.no_augment) augment.speed = augment.gain_db = 0;
  if (options.no_noise || options.no_augment) augment.noise_probability = 0;
  if (options.no_spec_augment || options.no_augment) augment.time_masks = augment.frequency_masks = 0;
  options.train.data = options.data;
  options.train.noise = options.noise;
  options.train.teachers.assign(options.teachers.begin(), options.teachers.end());
  options.train.out = options.out;
  if (options.resume) options.train.start = training::StartMode::kResume;
  if (options.overwrite) options.train.start = training::StartMode::kOverwrite;
}

bool lies_in(const fs::path& path, const fs::path& folder) {
  const fs::path relative = path.lexically_relative(folder);
  return !relative.empty() && *relative.begin() != "..";
}

// Words to learn, mixed in as noise, say nothing of it otherwise. Only folders that could share files are
// looked into.
void warn_of_labelled_noise(const Options& options, Observer& observer) {
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
Expected<training::ProcessGroup> join_group(const Options& options) {
  BITTERN_ASSIGN_OR_RETURN(const std::optional<training::Launch> launch,
                           training::read_launch([](const char* name) { return std::getenv(name); }));
  if (!launch) return training::ProcessGroup();
  training::ProcessGroup::Settings settings;
  settings.timeout = std::chrono::seconds(options.rank_timeout_s);
  settings.stop = interrupted;
  return training::ProcessGroup::connect(*launch, std::move(settings));
}

Status run(Options& options) {
  apply_words(options);
  if (const Status valid = training::check(options.train.recipe); !valid.ok())
    fail_usage(valid.error().message);
  if (!options.teachers.empty() && options.train.recipe.loss.distillation == 0)
    fail_usage("--teacher teaches nothing with --distillation 0: give it a share of the loss, above 0");
  BITTERN_ASSIGN_OR_RETURN(training::ProcessGroup group, join_group(options));
  const bool quiet = options.quiet || !group.is_first();
  Observer observer(options.train.recipe, quiet);
  warn_of_labelled_noise(options, observer);
  BITTERN_RETURN_IF_ERROR(training::train(options.train, group, observer));
  if (quiet) return {};
  if (observer.skipped() > 0) {
    print_warning(fmt::format("{} recording{} could not be read and {} left out", observer.skipped(),
                              observer.skipped() == 1 ? "" : "s", observer.skipped() == 1 ? "was" : "were"));
  }
  return write_out(fmt::format("best model: {}\n", training::RunFolder{options.train.out}.best().string()));
}

void add_data_options(Arguments& arguments, Options& options) {
  arguments.add("--data DIR", options.data, "Folder of labelled recordings").check(not_empty()).required();
  arguments
      .add("--out RUN", options.out,
           "Run folder, made if it is missing: recipe, metrics, checkpoint, best model")
      .check(not_empty())
      .required();
  add_layout_options(arguments, options.train.scan);
  arguments.add("--noise DIR", options.noise,
                "Folder of background recordings to mix in; without it the data set's own, if it has some");
}

void add_network_options(Arguments& arguments, Options& options) {
  training::Recipe& recipe = options.train.recipe;
  add_architecture_argument(arguments, recipe.architecture, "The network").show_default();
  add_exit_arguments(arguments, options.exits);
  arguments
      .add("--single-exit K", recipe.single_exit,
           "Train only the network up to this exit, counted from 1; without it all exits jointly")
      .check(whole_within(1, graph::kMaxExits));
  arguments.list("--exit-weights A,B,...", recipe.exit_weights,
                 "Weights of the exits' losses; without them 1 each");
}

void add_loss_options(Arguments& arguments, Options& options) {
  training::LossSettings& loss = options.train.recipe.loss;
  arguments
      .add("--exit-weighting NAME", options.exit_weighting,
           "Weights of the exits' losses: fixed (--exit-weights), linear in their depth, or learned")
      .check(one_of({"fixed", "linear", "learned"}))
      .show_default();
  arguments
      .add("--label-smoothing X", loss.label_smoothing,
           "Share of each target that is spread over all classes")
      .check(within(0, 1))
      .show_default();
  arguments
      .add("--teacher MODEL", options.teachers,
           "Finished models, one or several, from whose mean answer all exits learn instead of the last exit")
      .check(not_empty());
  arguments
      .add(
          "--distillation X", loss.distillation,
          "Share of the losses that has a teacher: of the earlier exits' the last exit, or of all --teacher; "
          "0: none")
      .check(within(0, 1))
      .show_default();
  arguments.add("--distillation-temperature X", loss.temperature, "What softens teacher and pupils")
      .check(above(0))
      .show_default();
}

void add_schedule_options(Arguments& arguments, Options& options) {
  training::Recipe& recipe = options.train.recipe;
  arguments.add("--schedule NAME", options.schedule, "How the learning rate falls: cosine or constant")
      .check(one_of({"cosine", "constant"}))
      .show_default();
  arguments
      .add("--bop-schedule NAME", options.bop_schedule, "The same of Bop's gamma; without it as --schedule")
      .check(one_of({"cosine", "constant"}));
  arguments
      .add("--warmup-epochs X", recipe.warmup_epochs,
           "Epochs, or a part of one, in which the rate rises first")
      .check(at_least(0))
      .show_default();
  arguments
      .add("--bop-warmup-epochs X", options.bop_warmup_epochs,
           "The same of Bop's gamma; without it a tenth of the (shorter stage's) epochs")
      .check(at_least(0));
  arguments
      .add("--float-epochs N", recipe.float_epochs,
           "Epochs, the first, in which kernels are real and only activations 1-bit")
      .check(whole_within(0, training::kMostEpochs))
      .show_default();
  arguments
      .add("--average-decay X", recipe.average_decay,
           "Validate and export a moving average of float parameters that keeps so much of itself in a step")
      .check(within(0, 1))
      .show_default();
}

void add_recipe_options(Arguments& arguments, Options& options) {
  training::Recipe& recipe = options.train.recipe;
  arguments.add("--epochs N", recipe.epochs, "Passes over the training clips")
      .check(whole_within(1, training::kMostEpochs))
      .show_default();
  arguments.add("--batch N", recipe.batch, "Clips in a step")
      .check(whole_within(training::kLeastBatch, training::kMostBatch))
      .show_default();
  arguments.add("--learning-rate X", recipe.learning_rate, "Adam's, at the start")
      .check(above(0))
      .show_default();
  arguments
      .add("--binary-optimizer NAME", options.binary_optimizer,
           "What trains 1-bit kernels: bop, or adam on clipped latent weights")
      .check(one_of({"bop", "adam"}))
      .show_default();
  arguments.add("--bop-gamma X", recipe.bop_gamma, "Bop's adaptivity rate at the start")
      .check(above(0))
      .show_default();
  arguments.add("--bop-gamma-end X", recipe.bop_gamma_end, "The same at the end of a cosine")
      .check(at_least(0))
      .show_default();
  arguments.add("--bop-threshold X", recipe.bop_threshold, "What a weight's average must exceed to flip it")
      .check(at_least(0))
      .show_default();
  training::AugmentSettings& augment = recipe.augment;
  arguments.add("--shift-ms MS", augment.shift_ms, "Largest time shift")
      .check(whole_within(0, training::kMostShiftMs))
      .show_default();
  arguments
      .add("--speed X", augment.speed,
           "Play clips at 1 - X to 1 + X of their speed, pitch and tempo together")
      .check(within(0, training::kMostSpeed))
      .show_default();
  arguments.add("--gain-db X", augment.gain_db, "Make clips up to so many decibels louder or softer")
      .check(within(0, training::kMostGainDb))
      .show_default();
  arguments.add("--noise-probability X", augment.noise_probability, "Share of clips that get noise")
      .check(within(0, 1))
      .show_default();
  arguments.add("--noise-level X", augment.noise_level, "Loudest noise, as a factor of the noise recording")
      .check(within(0, 1))
      .show_default();
  arguments.add("--time-mask-frames N", augment.time_mask_frames, "Longest mask over time, in frames")
      .check(whole_within(0, training::kMostMask))
      .show_default();
  arguments
      .add("--frequency-mask-bins N", augment.frequency_mask_bins, "Widest mask over frequency, in mel bins")
      .check(whole_within(0, training::kMostMask))
      .show_default();
  arguments
      .add("--mixup ALPHA", augment.mixup, "Mix clips in pairs, shares drawn from Beta(ALPHA, ALPHA); 0: off")
      .check(within(0, 1))
      .show_default();
  arguments.flag("--no-augment", options.no_augment,
                 "None of the four below, and no change of speed or gain");
  arguments.flag("--no-random-window", options.no_random_window, "Take the centre of longer clips");
  arguments.flag("--no-shift", options.no_shift, "No time shift");
  arguments.flag("--no-noise", options.no_noise, "No background noise");
  arguments.flag("--no-spec-augment", options.no_spec_augment, "No masks on the features");
  arguments.add("--seed N", recipe.seed, "Starting weights, order, augmentation, drawn training clips")
      .show_default();
  add_threads_argument(arguments, recipe.threads,
                       "Threads to work with; part of what fixes the resulting bits");
  arguments.add("--device NAME", recipe.device, "Where to train: cpu or cuda")
      .check(one_of({"cpu", "cuda"}))
      .show_default();
  arguments
      .add("--precision NAME", options.precision,
           "Of 1-bit convolutions' gradients: fp32, bf16, int16, or auto: the fastest that the processor has")
      .check(one_of({"auto", "fp32", "bf16", "int16"}))
      .show_default();
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  add_data_options(arguments, *options);
  add_network_options(arguments, *options);
  add_loss_options(arguments, *options);
  add_recipe_options(arguments, *options);
  add_schedule_options(arguments, *options);
  arguments
      .add("--checkpoint-every STEPS", options->train.checkpoint_every,
           "Steps between checkpoints within an epoch; there is one after each epoch anyway")
      .check(whole_within(1, std::numeric_limits<int>::max()))
      .show_default();
  const Argument resume =
      arguments.flag("--resume", options->resume, "Go on from RUN's checkpoint, with the same options");
  arguments.flag("--overwrite", options->overwrite, "Throw an earlier training in RUN away").excludes(resume);
  arguments
      .add("--rank-timeout S", options->rank_timeout_s,
           "With several processes: seconds that one waits for another before it gives the training up")
      .check(whole_within(1, kMostRankTimeoutS))
      .show_default();
  arguments.add("--license TEXT", options->train.license, "Licence of the model, stored in it");
  arguments.flag("--quiet", options->quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

constexpr Command kProgram{kTrainCommand.name, kTrainCommand.summary, configure};

}  // namespace
}  // namespace bittern::cli

int main(int argc, char** argv) {
  return bittern::cli::run_separate_program(bittern::cli::kProgram, argc, argv);
}
