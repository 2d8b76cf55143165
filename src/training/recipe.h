// Everything that decides what a training gives, apart from the recordings: one JSON, kept in the run folder
// and in the model.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "core/status.h"
#include "graph/network.h"
#include "training/precision.h"
#include "training/schedule.h"
#include "training/teacher_name.h"

namespace bittern::training {

// What trains the 1-bit kernels; everything else is Adam's.
enum class BinaryOptimizer : std::uint8_t {
  kBop,   // +-1 weights that flip (bop.h)
  kAdam,  // real latent weights, clipped after each step, binarised by the kernel's quantizer
};

inline constexpr int kMostEpochs = 100000;
// Of a stage's epochs, the share in which Bop's gamma rises where nothing else was asked for.
inline constexpr double kBopWarmupShare = 0.1;
inline constexpr int kLeastBatch = 2;  // batch norm needs more than one
inline constexpr int kMostBatch = 65536;
inline constexpr int kMostShiftMs = 60000;
inline constexpr double kMostSpeed = 0.5;
inline constexpr double kMostGainDb = 40;
inline constexpr int kMostMask = 10000;      // frames or mel bins
inline constexpr double kLeastMixup = 0.01;  // but 0: of smaller ones every share is 0 or 1

struct AugmentSettings {
  bool random_window = true;  // of clips longer than the window; else their centre
  int shift_ms = 100;         // time shift, uniform in +-shift_ms; 0: off
  double speed = 0;           // clips are played at a uniform draw from 1 +- speed of theirs; 0: off
  double gain_db = 0;         // and this much louder or softer, uniform in decibels; 0: off
  float noise_probability = 0.8F;
  float noise_level = 0.1F;   // noise is scaled by a uniform draw from [0, noise_level)
  int time_masks = 2;         // SpecAugment; 0: off
  int time_mask_frames = 20;  // longest mask
  int frequency_masks = 2;
  int frequency_mask_bins = 10;
  double mixup = 0;  // the alpha of its Beta distribution; 0: off
  bool operator==(const AugmentSettings&) const = default;
};

// How the losses of exits are weighted.
enum class ExitWeighting : std::uint8_t {
  kFixed,    // exit_weights, or 1 each
  kLinear,   // in proportion to the exit's number, 1 on average
  kLearned,  // along with the network (loss.h)
};

Expected<ExitWeighting> parse_weighting(std::string_view name);  // "fixed", "linear", "learned"

// Which exits learn from teachers, where there are any.
enum class TaughtExits : std::uint8_t {
  kAll,
  kLast,  // earlier ones learn from the last exit, as they do without teachers
};

Expected<TaughtExits> parse_taught(std::string_view name);  // "all", "last"

struct LossSettings {
  ExitWeighting weighting = ExitWeighting::kFixed;
  double label_smoothing = 0;  // share of a target that is spread over all classes
  // Share of the losses that has a teacher: of the earlier exits' the last exit, or of `taught` the teachers.
  double distillation = 0.5;
  double temperature = 2;  // of the distillation
  TaughtExits taught = TaughtExits::kAll;
  bool operator==(const LossSettings&) const = default;
};

struct Recipe {
  std::string architecture = "quicknet";
  std::string placement = "paper";
  graph::ExitPool pool = graph::ExitPool::kTime;
  std::optional<graph::ExitDense> exit_dense;  // nullopt: the architecture's own
  int single_exit = 0;                         // from 1: the network cut behind that exit; 0: all exits

  int epochs = 30;
  int batch = 64;
  double learning_rate = 4e-3;            // Adam's, falling to 0 under a cosine
  Schedule schedule = Schedule::kCosine;  // of the learning rate
  double warmup_epochs = 0;               // over which the learning rate rises first
  BinaryOptimizer binary_optimizer = BinaryOptimizer::kBop;
  double bop_gamma = 1e-4;
  double bop_gamma_end = 5e-6;
  Schedule bop_schedule = Schedule::kCosine;  // of gamma
  double bop_warmup_epochs = 0;
  double bop_threshold = 1e-8;
  int float_epochs = 0;      // of `epochs`, the first: binary activations, but real kernels under Adam
  double average_decay = 0;  // of the moving average of float parameters; 0: off
  std::vector<double> exit_weights;  // of the exits' losses; empty: 1 each, or as the loss says
  LossSettings loss;
  std::vector<TeacherName> teachers;  // of the exits that loss.taught says, in place of the last one

  AugmentSettings augment;
  std::uint64_t seed = 0;
  int threads = 1;
  int processes = 1;  // that train together, each with `threads`
  std::string device = "cpu";
  Precision precision = Precision::kAuto;  // settled when a run begins

  bool operator==(const Recipe&) const = default;

  // Ranges only; whether the architecture exists and how many exits it has is checked when it is built.
  Status validate() const;
  // Epochs of the shorter stage, or of the only one.
  int shortest_stage() const;
};

nlohmann::ordered_json to_json(const Recipe& recipe);
// Strict: an unknown, missing or mistyped key is an error that names it.
Expected<Recipe> recipe_from_json(const nlohmann::ordered_json& json);

// The keys in which two recipes differ, as "epochs (30, not 20)", first recipe's value first; empty: equal.
std::vector<std::string> differences(const Recipe& stored, const Recipe& given);

}  // namespace bittern::training
