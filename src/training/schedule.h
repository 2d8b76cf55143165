// How a rate rises and falls over a training.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/status.h"

namespace bittern::training {

enum class Schedule : std::uint8_t { kConstant, kCosine };
std::string_view name(Schedule schedule);  // "constant", "cosine"
Expected<Schedule> parse_schedule(std::string_view name);

// The rate at `step` of `steps` (from 0). kCosine: end + (start - end) * (1 + cos(pi * step / steps)) / 2.
// The first `warmup` steps rise to it in a line instead, start * (step + 1) / (warmup + 1), and the schedule
// has the others.
double rate_at(Schedule schedule, double start, double end, std::int64_t step, std::int64_t steps,
               std::int64_t warmup = 0);

}  // namespace bittern::training
