// bittern train --data DIR --out RUN: from labelled recordings to a model.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/command.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "datasets/dataset.h"
#include "graph/architecture.h"
#include "training/recipe.h"
#include "training/trainer.h"

namespace bittern::cli {
namespace {

constexpr int kMostThreads = 1024;

struct Options {
  training::TrainOptions train;
  std::string data;
  std::string noise;
  std::string out;
  std::string pool = "time";
  std::string schedule = "cosine";
  std::string binary_optimizer = "bop";
  bool no_augment = false;
  bool no_random_window = false;
  bool no_shift = false;
  bool no_noise = false;
  bool no_spec_augment = false;
  bool resume = false;
  bool overwrite = false;
  bool quiet = false;
};

class Observer final : public training::TrainObserver {
 public:
  Observer(int epochs, bool quiet)
      : epochs_(epochs),
        quiet_(quiet),
        reading_("reading", "clips", quiet),
        training_("training", "clips", quiet) {}

  void notice(const std::string& line) override {
    if (quiet_) return;
    clear();
    print_warning(line);
  }
  void loading(std::size_t done, std::size_t total) override { reading_.update(done, total); }
  void stepped(int epoch, std::size_t clips, std::size_t total, double loss) override {
    reading_.clear();
    // A resumed run's rate counts from where it began.
    if (first_ == 0) first_ = clips;
    training_.update(clips - std::min(first_, clips), total - std::min(first_, clips),
                     fmt::format("epoch {}/{}  loss {:.3f}", epoch, epochs_, loss));
  }
  void finished_epoch(const training::EpochReport& report) override {
    clear();
    if (quiet_) return;
    std::vector<std::string> accuracies;
    for (const evaluation::Proportion& accuracy : report.accuracy)
      accuracies.push_back(fmt::format("{:.1f}", 100 * accuracy.value));
    static_cast<void>(
        write_out(fmt::format("epoch {}/{}  loss {:.3f}  validation {} %  {:.0f} clips/s  {:.0f} s{}\n",
                              report.epoch, epochs_, report.loss, fmt::join(accuracies, " "),
                              report.samples_per_s, report.time_s, report.best ? "  best" : "")));
    static_cast<void>(flush_out());
  }
  bool stop() override { return interrupted(); }

 private:
  void clear() {
    reading_.clear();
    training_.clear();
  }

  int epochs_;
  bool quiet_;
  Progress reading_;
  Progress training_;
  std::size_t first_ = 0;
};

void apply_words(Options& options) {
  training::Recipe& recipe = options.train.recipe;
  recipe.pool = options.pool == "global" ? graph::ExitPool::kGlobal : graph::ExitPool::kTime;
  recipe.schedule =
      options.schedule == "constant" ? training::Schedule::kConstant : training::Schedule::kCosine;
  recipe.binary_optimizer =
      options.binary_optimizer == "adam" ? training::BinaryOptimizer::kAdam : training::BinaryOptimizer::kBop;
  training::AugmentSettings& augment = recipe.augment;
  if (options.no_random_window || options.no_augment) augment.random_window = false;
  if (options.no_shift || options.no_augment) augment.shift_ms = 0;
  if (options.no_noise || options.no_augment) augment.noise_probability = 0;
  if (options.no_spec_augment || options.no_augment) augment.time_masks = augment.frequency_masks = 0;
  options.train.data = options.data;
  options.train.noise = options.noise;
  options.train.out = options.out;
  if (options.resume) options.train.start = training::StartMode::kResume;
  if (options.overwrite) options.train.start = training::StartMode::kOverwrite;
}

Status run(Options& options) {
  apply_words(options);
  if (const Status valid = options.train.recipe.validate(); !valid.ok()) fail_usage(valid.error().message);
  Observer observer(options.train.recipe.epochs, options.quiet);
  BITTERN_RETURN_IF_ERROR(training::train(options.train, observer));
  if (options.quiet) return {};
  return write_out(fmt::format("best model: {}\n", training::RunFolder{options.train.out}.best().string()));
}

void add_data_options(CLI::App& app, Options& options) {
  app.add_option("--data", options.data, "Folder of labelled recordings")->required()->type_name("DIR");
  std::vector<std::string> layouts{"auto"};
  for (const datasets::Layout& layout : datasets::layouts()) layouts.emplace_back(layout.name);
  app.add_option("--layout", options.train.scan.layout,
                 fmt::format("How the folder is laid out: {}", fmt::join(layouts, ", ")))
      ->type_name("NAME")
      ->check(one_of(layouts))
      ->capture_default_str();
  app.add_option("--task", options.train.scan.task, "The layout's task, such as 12 or 35 for speech-commands")
      ->type_name("NAME");
  app.add_option("--noise", options.noise,
                 "Folder of background recordings to mix in (default: the data set's own, if it has some)")
      ->type_name("DIR");
}

void add_network_options(CLI::App& app, Options& options) {
  training::Recipe& recipe = options.train.recipe;
  std::vector<std::string> names;
  for (const graph::Architecture& architecture : graph::architectures())
    names.emplace_back(architecture.name);
  app.add_option("--architecture", recipe.architecture, fmt::format("One of: {}", fmt::join(names, ", ")))
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--placement", recipe.placement,
                 "Where the exits sit: stem, paper, balanced, or layer names separated by commas")
      ->type_name("NAME")
      ->capture_default_str();
  app.add_option("--exit-pool", options.pool, "What an exit averages over: time, or global (the paper)")
      ->check(one_of({"time", "global"}))
      ->capture_default_str();
  app.add_option("--single-exit", recipe.single_exit,
                 "Train only the network up to this exit, from 1 (default: all exits jointly)")
      ->check(CLI::Range(1, graph::kMaxExits))
      ->type_name("K");
  app.add_option("--exit-weights", recipe.exit_weights, "Weights of the exits' losses, separated by commas")
      ->delimiter(',')
      ->type_name("A,B,...");
}

void add_recipe_options(CLI::App& app, Options& options) {
  training::Recipe& recipe = options.train.recipe;
  app.add_option("--epochs", recipe.epochs, "Passes over the training clips")->capture_default_str();
  app.add_option("--batch", recipe.batch, "Clips in a step")->capture_default_str();
  app.add_option("--learning-rate", recipe.learning_rate, "Adam's, at the start")
      ->check(finite_above(0))
      ->capture_default_str();
  app.add_option("--schedule", options.schedule, "How learning rate and gamma fall: cosine, constant")
      ->check(one_of({"cosine", "constant"}))
      ->capture_default_str();
  app.add_option("--binary-optimizer", options.binary_optimizer,
                 "What trains 1-bit kernels: bop, or adam on clipped latent weights")
      ->check(one_of({"bop", "adam"}))
      ->capture_default_str();
  app.add_option("--bop-gamma", recipe.bop_gamma, "Bop's adaptivity rate at the start")
      ->check(finite_above(0))
      ->capture_default_str();
  app.add_option("--bop-gamma-end", recipe.bop_gamma_end, "The same at the end of a cosine")
      ->check(finite_at_least(0))
      ->capture_default_str();
  app.add_option("--bop-threshold", recipe.bop_threshold, "What a weight's average must exceed to flip it")
      ->check(finite_at_least(0))
      ->capture_default_str();
  training::AugmentSettings& augment = recipe.augment;
  app.add_option("--shift-ms", augment.shift_ms, "Largest time shift")->capture_default_str();
  app.add_option("--noise-probability", augment.noise_probability, "Share of clips that get noise")
      ->check(finite_within(0, 1))
      ->capture_default_str();
  app.add_option("--noise-level", augment.noise_level, "Loudest noise, as a factor of the recording")
      ->check(finite_within(0, 1))
      ->capture_default_str();
  app.add_flag("--no-augment", options.no_augment, "None of the four below");
  app.add_flag("--no-random-window", options.no_random_window, "Take the centre of longer clips");
  app.add_flag("--no-shift", options.no_shift, "No time shift");
  app.add_flag("--no-noise", options.no_noise, "No background noise");
  app.add_flag("--no-spec-augment", options.no_spec_augment, "No masks on the features");
  app.add_option("--seed", recipe.seed, "Starting weights, order, augmentation")->capture_default_str();
  recipe.threads = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostThreads);
  app.add_option("--threads", recipe.threads, "Threads to work with; part of what fixes the resulting bits")
      ->check(CLI::Range(1, kMostThreads))
      ->capture_default_str();
  app.add_option("--device", recipe.device, "Where to train: cpu, cuda")
      ->check(one_of({"cpu", "cuda"}))
      ->capture_default_str();
}

std::function<Status()> configure(CLI::App& app) {
  const auto options = std::make_shared<Options>();
  add_data_options(app, *options);
  app.add_option("--out", options->out, "Run folder: recipe, metrics, checkpoint, best model")
      ->required()
      ->type_name("RUN");
  add_network_options(app, *options);
  add_recipe_options(app, *options);
  app.add_option("--license", options->train.license, "Licence of the model, stored in it")
      ->type_name("TEXT");
  app.add_option("--checkpoint-every", options->train.checkpoint_every,
                 "Steps between checkpoints within an epoch; there is one after each epoch anyway")
      ->check(CLI::PositiveNumber)
      ->type_name("STEPS")
      ->capture_default_str();
  CLI::Option* resume =
      app.add_flag("--resume", options->resume, "Go on from RUN's checkpoint, with the same options");
  app.add_flag("--overwrite", options->overwrite, "Throw an earlier training in RUN away")->excludes(resume);
  app.add_flag("--quiet", options->quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

}  // namespace

const Command kTrainCommand{"train", "Train a network with early exits on labelled recordings", configure};

}  // namespace bittern::cli
