// Which part of a clip is looked at.
#pragma once

#include <cstddef>
#include <span>

#include "runtime/session.h"

namespace bittern::runtime {

// The part of `samples`, which are longer than `window` samples, that `segment` chooses. Energy for kLoudest
// is a sum of squares of samples clipped to +-1 and cut to 16 bits: integers, so no order of summation
// matters.
std::span<const float> choose_segment(std::span<const float> samples, std::size_t window,
                                      Segment segment) noexcept;

// Copies `samples`, at most as many, into the middle of `window` and zeros around it; of an odd rest the
// larger half comes after.
void centre_in_silence(std::span<const float> samples, std::span<float> window) noexcept;

}  // namespace bittern::runtime
