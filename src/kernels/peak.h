// What a core can do at most, for comparison: the instruction mixes that the kernels live on, on registers
// alone.
#pragma once

#include <cstdint>

#include "core/isa.h"

namespace bittern::kernels {

// Both return the MACs done. `state` seeds the values and receives a result, so that no step can be left out.

// `steps` times: xor, count, add on eight vectors of 64-bit words, as the binary convolution does it.
std::int64_t popcount_peak(Isa isa, std::int64_t steps, std::uint64_t* state);

// `steps` times: multiply, then add (never fused) on twelve vectors of floats, as the float convolution does
// it.
std::int64_t float_peak(Isa isa, std::int64_t steps, std::uint64_t* state);

}  // namespace bittern::kernels
