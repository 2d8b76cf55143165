// Which of a Larq model's layers is which of the network's.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "convert/keras_file.h"
#include "core/status.h"
#include "graph/network.h"

namespace bittern::convert {

// For each layer of `network`, the layers of `file` that hold its weights: none, one, or one for each group
// of a grouped convolution. Exits have none here. By Larq Zoo's names where they are the network's own
// (MeliusNet), else by kind and the order in which Keras made the layers. Layers in `exits` (dense layers and
// batch norms) are left out; any other layer with weights that is left over is an error.
Expected<std::vector<std::vector<const KerasLayer*>>> match_layers(const KerasFile& file,
                                                                   const graph::Network& network,
                                                                   const std::set<std::string>& exits);

// Whether a Conv2d has a kernel per channel.
bool is_depthwise(const graph::Network& network, int layer);

}  // namespace bittern::convert
