// What a layer makes of its inputs' shapes, and whether its attributes make sense: the checks that builder
// and Network::create share.
#pragma once

#include <span>

#include "core/status.h"
#include "graph/network.h"

namespace bittern::graph {

// Every dimension at least 1 and within the limits of network.h.
Status check_shape(const Shape& shape);

// The output shape of `op` reading `inputs` (each checked before). Errors: attributes out of range, a wrong
// number of inputs, inputs that do not fit the op, an output past the limits. Not for Input, whose shape is
// given.
Expected<Shape> output_shape(const Op& op, std::span<const Shape> inputs);

// A layer's name is not empty, of at most kMaxNameLength visible ASCII characters, and has no comma (names
// are given as lists on the command line).
inline constexpr std::size_t kMaxNameLength = 128;
Status check_name(std::string_view name);

}  // namespace bittern::graph
