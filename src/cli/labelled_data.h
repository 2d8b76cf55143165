// Labelled recordings for a model: found, matched with its labels, decoded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "core/status.h"
#include "datasets/dataset.h"
#include "evaluation/evaluate.h"
#include "model/model.h"
#include "runtime/session.h"

namespace bittern::cli {

inline constexpr const char* kAllSplits = "all";

struct DataOptions {
  // What the command has: advice names no option and no word that it would refuse.
  std::vector<std::string> splits{"train", "validation", "test", kAllSplits};
  bool has_only = true;

  std::string data;
  std::string split = "test";  // or kAllSplits
  datasets::ScanOptions scan;
  bool quiet = false;
};

struct LabelledData {
  evaluation::LabelledClips clips;
  std::string layout;
  std::string digest;
  std::size_t skipped = 0;   // unreadable
  std::size_t left_out = 0;  // of labels that `only` leaves out
};

// --data, which is required, and --split, of the words that `options` has.
void add_data_arguments(Arguments& arguments, DataOptions& options, const std::string& which_clips);

// What a layout draws for training is drawn as it was for this model. Warnings and progress go to standard
// error unless quiet. only: a mask over the model's labels, empty for all.
Expected<LabelledData> load_labelled(const DataOptions& options, const model::Model& model,
                                     runtime::Segment segment, const std::vector<std::uint8_t>& only);

}  // namespace bittern::cli
