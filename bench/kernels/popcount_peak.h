// The most that an instruction set can do: xor, popcount and add on registers alone.
#pragma once

#include <cstdint>

#include "core/isa.h"

namespace bittern::kernels {

// `steps` times: xor, count, add on eight vectors that stay in registers, by the instructions that the binary
// convolution uses. Returns the number of binary MACs (pairs of bits). `result` seeds the bits and receives
// the counts, so that no step can be left out.
std::int64_t popcount_peak(Isa isa, std::int64_t steps, std::uint64_t* result);

}  // namespace bittern::kernels
