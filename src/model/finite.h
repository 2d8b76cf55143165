// A check of many numbers.
#pragma once

#include <span>

namespace bittern::model {

bool all_finite(std::span<const float> values);

}  // namespace bittern::model
