// How kernels start (Keras' definitions), from bittern::Random: the same on every machine and whatever
// torch's own generator did.
#pragma once

#include <span>

#include "core/random.h"
#include "graph/network.h"

namespace bittern::training {

struct Fans {
  double in = 0;
  double out = 0;
};

// Kernel HWIO. A depthwise kernel counts as Keras' [time, frequency, channels, 1]; other groups count per
// group.
Fans fans_of(const graph::Conv2d& conv, int in_channels);
Fans fans_of(const graph::BinaryConv2d& conv, int in_channels);

// kGlorotNormal: normal of deviation sqrt(2 / (in + out)), truncated at two of its own deviations and widened
// by 1 / 0.87962566 so that the deviation after truncation is right; kHeNormal: the same with sqrt(2 / in);
// kGlorotUniform: uniform within +-sqrt(6 / (in + out)).
// kBlur: outer([1 2 1], [1 2 1]) / 16 over the taps, which must be 9; kernel [9][...].
void initialize(std::span<float> kernel, graph::Initializer initializer, Fans fans, Random& random);

}  // namespace bittern::training
