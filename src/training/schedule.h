// How a rate falls over a training.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/status.h"

namespace bittern::training {

enum class Schedule : std::uint8_t { kConstant, kCosine };
std::string_view name(Schedule schedule);  // "constant", "cosine"
Expected<Schedule> parse_schedule(std::string_view name);

// The rate at `step` of `steps` (from 0). kCosine: end + (start - end) * (1 + cos(pi * step / steps)) / 2.
double rate_at(Schedule schedule, double start, double end, std::int64_t step, std::int64_t steps);

}  // namespace bittern::training
