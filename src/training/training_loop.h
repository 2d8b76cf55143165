// One training, from its data and its network to its last epoch.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <vector>

#include "core/status.h"
#include "evaluation/interval.h"
#include "features/log_mel_spec.h"
#include "training/batches.h"
#include "training/checkpoint.h"
#include "training/epoch_report.h"
#include "training/loss.h"
#include "training/modules.h"
#include "training/optimizer.h"
#include "training/process_group.h"
#include "training/run_folder.h"
#include "training/teachers.h"
#include "training/trainer.h"
#include "training/training_data.h"
#include "training/weight_average.h"

namespace bittern::training {

class TrainingLoop {
 public:
  // All that are passed by reference must outlive it. options.recipe: with its precision settled. Rank 0 of
  // the group alone works in the run folder, which is prepared.
  TrainingLoop(const TrainOptions& options, ProcessGroup& group, TrainObserver& observer, TrainingData data,
               Teachers teachers, TrainableNetwork network);

  // Errors: a checkpoint that is damaged or of another run, files that cannot be written, a loss that is no
  // number, kCancelled, another rank's end.
  Status run();

 private:
  std::size_t exits() const { return static_cast<std::size_t>(network_.network().exit_count()); }
  // Whether kernels are real in this epoch.
  bool in_first_stage() const { return position_.epoch < recipe_.float_epochs; }

  Status resume();
  Status take_origin(const Origin& origin);
  Status share_start();
  std::vector<NamedTensor> all_tensors() const;
  Status save() const;
  Status run_epoch(BatchSource& source);
  Status run_step(const Batch& batch);
  Status check_finite() const;
  Status finish_epoch(EpochReport report, std::chrono::steady_clock::time_point start);
  Status write_epoch(EpochReport& report, std::chrono::steady_clock::time_point start);
  Expected<std::vector<evaluation::Proportion>> validate();
  at::Tensor tensor_of(const std::vector<float>& features, int first, int count) const;

  const TrainOptions& options_;
  const Recipe& recipe_;
  ProcessGroup& group_;
  TrainObserver& observer_;
  RunFolder folder_;
  features::LogMelSpec front_end_;
  TrainingData data_;
  std::string license_;
  Teachers teachers_;  // until they go to the batches, which they teach with
  TrainableNetwork network_;
  BatchPlan plan_;
  ExitLoss loss_;
  std::vector<Parameter> parameters_;  // the network's and the loss'
  Optimizer optimizer_;
  WeightAverage average_;
  std::vector<float> validation_features_;
  TrainingPosition position_;
};

}  // namespace bittern::training
