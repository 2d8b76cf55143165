// The options of `bittern train`: its own, and what an experiment's trainings are checked against.
#pragma once

#include <string>
#include <vector>

#include "cli/arguments.h"
#include "cli/network_options.h"
#include "core/status.h"
#include "training/trainer.h"

namespace bittern::cli {

// As they are written; apply_words() makes of them what TrainOptions says.
struct TrainCommandOptions {
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
  std::string taught_exits = "all";
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

  void apply_words();
};

void add_train_options(Arguments& arguments, TrainCommandOptions& options);

// The recipe and the folders of `bittern train` with these words behind it, words applied. An error says what
// is wrong with them.
Expected<TrainCommandOptions> read_train_options(const std::vector<std::string>& words);

}  // namespace bittern::cli
