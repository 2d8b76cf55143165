// Leave where the most probable label is far enough ahead of the second.
#include "exits/rules.h"
#include "exits/threshold.h"

namespace bittern::exits {
namespace {

constexpr std::string_view kName = "margin";

Status check(float threshold) { return check_range(kName, threshold, 0.0F, 1.0F); }

bool leave(std::span<const Answer> answers, float threshold) { return answers.back().margin >= threshold; }

}  // namespace

Rule margin_rule() {
  return {kName, "leave when the largest probability is ahead of the second by at least the threshold",
          0.7F,  {0.2F, 0.5F, 0.7F, 0.9F, 0.98F},
          check, leave};
}

}  // namespace bittern::exits
