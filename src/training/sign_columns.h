// Signs of activations as a matrix with clips along its rows, for the gradient of a 1-bit kernel.
#pragma once

#include <cstdint>

#include "training/bf16.h"

namespace bittern::training {

// to[c * stride + n] = sign(x[n * channels + c]), +1 or -1, for `clips` clips n. x: [clips, channels].
void sign_columns(const float* x, std::int64_t clips, std::int64_t channels, float* to, std::int64_t stride);
void sign_columns(const float* x, std::int64_t clips, std::int64_t channels, Bf16* to, std::int64_t stride);

}  // namespace bittern::training
