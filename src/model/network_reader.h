// The network of a model file, without its weights.
#pragma once

#include "core/status.h"
#include "graph/network.h"
#include "model/schema.h"

namespace bittern::model {

// Of a file whose structure was verified. Errors, kCorrupt: a layer of an unknown kind, a network that does
// not hold together.
Expected<graph::Network> read_network(const schema::Model& stored);

}  // namespace bittern::model
