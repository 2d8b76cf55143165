// A training's whole state in one file, so that it can go on as if it had never stopped.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/status.h"
#include "training/modules.h"

namespace bittern::training {

// Where a training stands.
struct TrainingPosition {
  int epoch = 0;                   // epochs completed
  int batch = 0;                   // batches done in the next one
  std::int64_t step = 0;           // steps in all
  std::vector<double> loss_sums;   // of those batches, per exit
  double best_accuracy = -1;       // mean over exits on validation; -1: none yet
  int best_epoch = 0;              // from 1
  std::int64_t metrics_bytes = 0;  // length of metrics.jsonl
};

// As JSON; doubles keep every bit.
std::string to_text(const TrainingPosition& position);
Expected<TrainingPosition> position_from_text(const std::string& text);

// What a model's provenance says of where the training began: a resumed run says the same.
struct Origin {
  std::string license;
  std::string data_name;
  std::string data_digest;
  int skipped = 0;  // recordings that could not be read
  bool operator==(const Origin&) const = default;
};

struct Checkpoint {
  TrainingPosition position;
  std::string recipe;        // JSON
  std::string clips_digest;  // training_data.h
  std::string noise_digest;
  std::optional<Origin> origin;      // checkpoints of earlier builds have none
  std::vector<NamedTensor> tensors;  // network, optimiser
};

// Atomic. A torch archive (torch.load reads it too). Tensors of +-1 only are kept in one byte a value.
Status save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path);

// Errors: kNotFound, kCorrupt (cut short, damaged or foreign), kUnsupported (of another version).
Expected<Checkpoint> load_checkpoint(const std::filesystem::path& path);

// Copies values into `targets` by name; every target must be there in the same shape.
Status restore(const std::vector<NamedTensor>& saved, const std::vector<NamedTensor>& targets);

}  // namespace bittern::training
