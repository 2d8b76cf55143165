// Which layers a convolution takes along: what follows it pixel by pixel and has no other reader.
#pragma once

#include <vector>

#include "model/model.h"
#include "runtime/nodes.h"
#include "runtime/plan.h"

namespace bittern::runtime {

struct Fusion {
  std::vector<int> layers;  // the convolution, then what follows it, in order
  Epilogue epilogue;
  Place output;
};

// For the Conv2d or BinaryConv2d `layer`: as many of the BatchNorm, Relu, Add and Prelu behind it as fit the
// epilogue.
Fusion fuse(const Nodes& nodes, const model::Model& model, const std::vector<Place>& places, int layer);

}  // namespace bittern::runtime
