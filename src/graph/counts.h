// What a network costs, from the graph alone.
#pragma once

#include <cstdint>
#include <vector>

#include "graph/network.h"

namespace bittern::graph {

struct Macs {
  std::int64_t binary = 0;
  std::int64_t floating = 0;
  std::int64_t int8 = 0;  // of floating, those of int8 convolutions
  // In float MACs as wide as what a register holds of each: floating, four int8 ones as one.
  double as_float() const { return static_cast<double>(floating - int8) + static_cast<double>(int8) / 4.0; }
  // Nominal cost in float MACs: binary / 64 + as_float().
  double cost() const { return static_cast<double>(binary) / 64.0 + as_float(); }
  Macs& operator+=(const Macs& other);
  friend Macs operator*(const Macs& macs, std::int64_t times) {
    return {macs.binary * times, macs.floating * times, macs.int8 * times};
  }
};

// Multiply-accumulates of one layer: weights x output pixels, as Larq counts (convolutions only; 0 for the
// rest, exits too).
Macs macs_of(const Network& network, int layer);

struct ExitCounts {
  int exit = 0;                // from 1
  std::string layer;           // the layer that the exit reads
  Macs cumulative;             // up to that layer, the exit's own dense left out
  std::int64_t macs_exit = 0;  // of the exit's dense alone
  double share = 0;            // cumulative.cost() over the whole network's
};

struct Counts {
  std::int64_t binary_parameters = 0;  // 1-bit weights
  std::int64_t int8_parameters = 0;    // of the others, those of a byte
  std::int64_t float_parameters = 0;   // all others, batch norm as 2 a channel
  std::int64_t batch_norm_channels =
      0;  // float parameters with batch norm as 4 a channel: float_parameters + 2 x this
  std::int64_t parameters() const { return binary_parameters + float_parameters; }
  double packed_mib() const;   // binary / 8 bytes + int8 x 1 byte + float x 4 bytes
  double float32_mib() const;  // all x 4 bytes
  std::vector<ExitCounts> exits;
};

// Int8 weights, of convolutions and exits, count as float parameters too: they are trained as such. BatchNorm
// counts as 2 per channel whether or not it has scale and center (Larq's rule: what remains after folding). A
// magnitude-aware kernel's scales are not counted, nor an int8 one's: they are made from the weights that
// training has.
Counts count(const Network& network);

// Roughly what one run costs, in float MACs: a word of 64 binary ones counts as one, full or not, for outputs
// in blocks of 8, and one each what a pooling reads, a layer writes and an exit's dense layer multiplies. For
// limits.
double work(const Network& network);

}  // namespace bittern::graph
