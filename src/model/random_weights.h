// Models with random weights: to measure with, and for tests. Their answers mean nothing.
#pragma once

#include <cstdint>
#include <memory>

#include "graph/network.h"
#include "model/model.h"

namespace bittern::model {

// A front end that gives the network's input, which must have one channel: the paper's where the shape is
// its, else a frame for every 160 samples.
features::LogMelSpec front_end_for(const graph::Shape& input);

// Labels "label-0", "label-1", ..., temperatures 1, one operating point. The same seed gives the same model.
std::shared_ptr<Model> random_model(const graph::Network& network, std::uint64_t seed);

}  // namespace bittern::model
