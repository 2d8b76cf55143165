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

double rate_at(Schedule schedule, double start, double end, std::int64_t step, std::int64_t steps,
               std::int64_t warmup) {
  if (step < warmup) return start * static_cast<double>(step + 1) / static_cast<double>(warmup + 1);
  if (schedule == Schedule::kConstant || steps <= warmup) return start;
  const double progress = static_cast<double>(step - warmup) / static_cast<double>(steps - warmup);
  return end + (start - end) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
}

}  // namespace bittern::training
