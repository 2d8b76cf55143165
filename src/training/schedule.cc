#include "training/schedule.h"

#include <cmath>
#include <numbers>
#include <string>

namespace bittern::training {

std::string_view name(Schedule schedule) { return schedule == Schedule::kConstant ? "constant" : "cosine"; }

Expected<Schedule> parse_schedule(std::string_view name) {
  if (name == "constant") return Schedule::kConstant;
  if (name == "cosine") return Schedule::kCosine;
  return invalid_argument("unknown schedule '" + std::string(name) + "': use constant or cosine");
}

double rate_at(Schedule schedule, double start, double end, std::int64_t step, std::int64_t steps) {
  if (schedule == Schedule::kConstant || steps <= 0) return start;
  const double progress = static_cast<double>(step) / static_cast<double>(steps);
  return end + (start - end) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

}  // namespace bittern::training
