// A training from its options to its model.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/status.h"
#include "datasets/dataset.h"
#include "training/epoch_report.h"
#include "training/process_group.h"
#include "training/recipe.h"
#include "training/recipe_network.h"
#include "training/run_folder.h"

namespace bittern::training {

struct TrainOptions {
  std::filesystem::path data;
  datasets::ScanOptions scan;                   // scan.seed is set from the recipe
  std::filesystem::path noise;                  // folder; empty: the data set's own
  std::vector<std::filesystem::path> teachers;  // model files
  std::filesystem::path out;
  StartMode start = StartMode::kFresh;
  Recipe recipe;               // when resuming it must equal the run's; its teachers are set from the files
  int checkpoint_every = 200;  // steps; also after every epoch
  std::string license;         // of the model, for its provenance; when resuming the run's, or empty
};

// Watches a training. Called from the training's own thread.
class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  virtual void notice(const std::string& line) = 0;
  virtual void loading(std::size_t done, std::size_t total) = 0;
  // When all are read: clips to train and validate with, and recordings that could not be read.
  virtual void loaded(int clips, int skipped) = 0;
  // After each step; counts are clips of the whole training.
  virtual void stepped(int epoch, std::size_t clips, std::size_t total, double loss) = 0;
  virtual void finished_epoch(const EpochReport& report) = 0;
  // Asked after each step: true ends the training with kCancelled, its checkpoint written.
  virtual bool stop() = 0;
};

// Trains until the recipe's last epoch. Leaves in the run folder recipe.json, metrics.jsonl, checkpoint.pt
// and best.bittern, the model of the epoch with the best mean validation accuracy over exits (the first of
// equals). The same recipe, data, machine and libtorch give the same bytes of best.bittern, resumed or not.
Status train(const TrainOptions& options, TrainObserver& observer);

// The same by all processes of a group, each with the same options but `out` and `start`, which are rank 0's:
// it alone writes. Each step's batch is divided among them, gradients are averaged, and so all hold the same
// weights bit by bit, which is checked after each epoch. An error on one rank ends all. The group is of no
// more use afterwards.
Status train(const TrainOptions& options, ProcessGroup& group, TrainObserver& observer);

}  // namespace bittern::training
