// What the rules' threshold checks share.
#pragma once

#include <string>
#include <string_view>

#include "core/status.h"

namespace bittern::exits {

// The shortest decimal that reads back as `value`, with a point in every locale; "nan", "inf".
std::string decimal(float value);

// Ok if low <= threshold <= high. The error names rule, value and range.
Status check_range(std::string_view rule, float threshold, float low, float high);

}  // namespace bittern::exits
