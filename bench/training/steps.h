// Training steps to be timed: Bittern's own, and the same network written plainly in libtorch.
#pragma once

#include <memory>

#include "graph/network.h"
#include "training/recipe.h"

namespace bittern::training {

class Steps {
 public:
  virtual ~Steps() = default;
  // Waits for a batch, then forward pass, backward pass and optimiser; returns the loss.
  virtual double step() = 0;
};

// With everything that a training does in a step: the batches are decoded clips, augmented and turned into
// features on the thread that runs ahead. `network` is that of recipe.architecture.
std::unique_ptr<Steps> bittern_steps(const graph::Network& network, const Recipe& recipe);

// As a user of libtorch would write it: clips outermost, channels first, float32, torch's convolutions of
// signs, batch norm, pools and Adam, Bop of tensor operations. A fixed batch of features, so no data
// pipeline.
std::unique_ptr<Steps> plain_steps(const graph::Network& network, const Recipe& recipe);

}  // namespace bittern::training
