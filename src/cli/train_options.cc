#include "cli/train_options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

#include "cli/layout_options.h"
#include "cli/output.h"
#include "training/recipe.h"

namespace bittern::cli {
namespace {

constexpr int kMostRankTimeoutS = 7 * 24 * 3600;

void add_data_options(Arguments& arguments, TrainCommandOptions& options) {
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

void add_network_options(Arguments& arguments, TrainCommandOptions& options) {
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

void add_loss_options(Arguments& arguments, TrainCommandOptions& options) {
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
           "Finished models, one or several, from whose mean answer exits learn instead of the last exit")
      .check(not_empty());
  arguments
      .add("--taught-exits NAME", options.taught_exits,
           "Which exits learn from --teacher: all, or last; then the earlier ones learn from the last one")
      .check(one_of({"all", "last"}))
      .show_default();
  arguments
      .add("--distillation X", loss.distillation,
           "Share of the losses that has a teacher: of the earlier exits' the last exit, or as "
           "--taught-exits says; "
           "0: none")
      .check(within(0, 1))
      .show_default();
  arguments.add("--distillation-temperature X", loss.temperature, "What softens teacher and pupils")
      .check(above(0))
      .show_default();
}

void add_schedule_options(Arguments& arguments, TrainCommandOptions& options) {
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

void add_recipe_options(Arguments& arguments, TrainCommandOptions& options) {
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
      .add("--mixup ALPHA", augment.mixup,
           "Mix clips in pairs, shares drawn from Beta(ALPHA, ALPHA), at least 0.01; 0: off")
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

}  // namespace

void TrainCommandOptions::apply_words() {
  training::Recipe& recipe = train.recipe;
  recipe.placement = exits.placement;
  recipe.pool = exits.pool_value();
  recipe.exit_dense = exits.dense_value();
  const std::string& of_bop = bop_schedule.empty() ? schedule : bop_schedule;
  recipe.schedule = *training::parse_schedule(schedule);
  recipe.bop_schedule = *training::parse_schedule(of_bop);
  recipe.bop_warmup_epochs = bop_warmup_epochs >= 0
                                 ? bop_warmup_epochs
                                 : training::kBopWarmupShare * std::max(0, recipe.shortest_stage());
  recipe.loss.weighting = *training::parse_weighting(exit_weighting);
  recipe.loss.taught = *training::parse_taught(taught_exits);
  recipe.binary_optimizer =
      binary_optimizer == "adam" ? training::BinaryOptimizer::kAdam : training::BinaryOptimizer::kBop;
  recipe.precision = *training::parse_precision(precision);
  training::AugmentSettings& augment = recipe.augment;
  if (no_random_window || no_augment) augment.random_window = false;
  if (no_shift || no_augment) augment.shift_ms = 0;
  if (no_augment) augment.speed = augment.gain_db = 0;
  if (no_noise || no_augment) augment.noise_probability = 0;
  if (no_spec_augment || no_augment) augment.time_masks = augment.frequency_masks = 0;
  train.data = data;
  train.noise = noise;
  train.teachers.assign(teachers.begin(), teachers.end());
  train.out = out;
  if (resume) train.start = training::StartMode::kResume;
  if (overwrite) train.start = training::StartMode::kOverwrite;
}

void add_train_options(Arguments& arguments, TrainCommandOptions& options) {
  add_data_options(arguments, options);
  add_network_options(arguments, options);
  add_loss_options(arguments, options);
  add_recipe_options(arguments, options);
  add_schedule_options(arguments, options);
  arguments
      .add("--checkpoint-every STEPS", options.train.checkpoint_every,
           "Steps between checkpoints within an epoch; there is one after each epoch anyway")
      .check(whole_within(1, std::numeric_limits<int>::max()))
      .show_default();
  const Argument resume =
      arguments.flag("--resume", options.resume, "Go on from RUN's checkpoint, with the same options");
  arguments.flag("--overwrite", options.overwrite, "Throw an earlier training in RUN away").excludes(resume);
  arguments
      .add("--rank-timeout S", options.rank_timeout_s,
           "With several processes: seconds that one waits for another before it gives the training up")
      .check(whole_within(1, kMostRankTimeoutS))
      .show_default();
  arguments.add("--license TEXT", options.train.license, "Licence of the model, stored in it");
  arguments.flag("--quiet", options.quiet, "Print nothing but errors");
}

Expected<TrainCommandOptions> read_train_options(const std::vector<std::string>& words) {
  TrainCommandOptions options;
  CLI::App app;
  Arguments arguments(app);
  add_train_options(arguments, options);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    return invalid_argument(one_line(error.what()));
  }
  options.apply_words();
  BITTERN_ASSIGN_OR_RETURN(options.train.recipe.teachers, training::name_teachers(options.train.teachers));
  BITTERN_RETURN_IF_ERROR(options.train.recipe.validate());
  return options;
}

}  // namespace bittern::cli
