// Leave where the most probable label is probable enough.
#include "exits/rules.h"
#include "exits/threshold.h"

namespace bittern::exits {
namespace {

constexpr std::string_view kName = "max-probability";

Status check(float threshold) { return check_range(kName, threshold, 0.0F, 1.0F); }

bool leave(std::span<const Answer> answers, float threshold) {
  return answers.back().max_probability >= threshold;
}

}  // namespace

Rule max_probability_rule() {
  return {kName, "leave when the largest probability is at least the threshold",
          0.85F, {0.5F, 0.7F, 0.85F, 0.95F, 0.99F},
          check, leave};
}

}  // namespace bittern::exits
