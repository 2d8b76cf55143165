// Leave at the first exit where k exits in a row gave the same label; the threshold is k.
#include <algorithm>

#include "exits/rules.h"
#include "exits/threshold.h"

namespace bittern::exits {
namespace {

constexpr std::string_view kName = "patience";

Status check(float threshold) {
  BITTERN_RETURN_IF_ERROR(check_range(kName, threshold, 1.0F, static_cast<float>(graph::kMaxExits)));
  if (threshold != static_cast<float>(static_cast<int>(threshold))) {
    return invalid_argument("the threshold of rule 'patience' is " + decimal(threshold) +
                            "; give a whole number: how many exits in a row must agree");
  }
  return {};
}

bool leave(std::span<const Answer> answers, float threshold) {
  const auto wanted = static_cast<std::size_t>(threshold);
  if (answers.size() < wanted) return false;
  const auto latest = answers.last(wanted);
  return std::all_of(latest.begin(), latest.end(),
                     [&](const Answer& answer) { return answer.label == answers.back().label; });
}

}  // namespace

Rule patience_rule() {
  return {kName, "leave when as many exits in a row as the threshold says gave the same label",
          2.0F,  {1.0F, 2.0F, 3.0F, 4.0F, 5.0F},
          check, leave,
          true};
}

}  // namespace bittern::exits
