// Which of a Larq model's layers are its exits: global average pooling and a dense layer, with or without
// batch norms and ReLU around them.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "convert/keras_config.h"
#include "convert/keras_file.h"
#include "core/status.h"

namespace bittern::convert {

// "batch_normalization_12" -> {"batch_normalization", 12}; a name without a number has -1.
std::pair<std::string, int> split_number(const std::string& name);
// Into the order in which Keras made them, where it numbered all of them; else as they were.
void sort_by_number(std::vector<const KerasLayer*>& layers);

bool is_norm(const KerasLayer& layer);
bool is_dense(const KerasLayer& layer);

struct LarqExit {
  struct Step {
    enum class Kind { kRelu, kNorm, kPool };
    Kind kind;
    std::string layer;  // empty where names alone do not tell which ReLU or pool it is
  };
  std::vector<Step> before;  // from the network to the dense layer
  std::string dense;
  std::string norm_after;  // a batch norm of the logits; empty: none
  std::string reads;       // the network's layer that it stands on; empty where only names are known
};

// What belongs to the network itself, up to its last exit.
struct BackboneCounts {
  int norms = 0;
  int relus = 0;  // that are layers of their own
};

// From shallow to deep. From the config where there is one, else from names and their order.
Expected<std::vector<LarqExit>> find_exits(const KerasFile& file, const KerasConfig& config,
                                           const BackboneCounts& backbone);

}  // namespace bittern::convert
