#include "exits/rules.h"

#include <algorithm>
#include <array>

#include "exits/rule.h"

namespace bittern::exits {

std::span<const Rule> rules() {
  static const std::array list{
      entropy_rule(),
      max_probability_rule(),
      margin_rule(),
      patience_rule(),
  };
  return list;
}

Expected<const Rule*> find_rule(std::string_view name) {
  std::string known;
  for (const Rule& rule : rules()) {
    if (rule.name == name) return &rule;
    known += (known.empty() ? "" : ", ") + std::string(rule.name);
  }
  return not_found("no exit rule is called '" + std::string(name) + "'; known: " + known);
}

bool Policy::leave(std::span<const Answer> answers) const {
  if (answers.empty()) return false;
  if (rule == nullptr) return exit != 0 && static_cast<int>(answers.size()) >= exit;
  if (answers.size() > thresholds.size()) return true;
  return rule->leave(answers, thresholds[answers.size() - 1]);
}

bool Policy::one_threshold() const {
  return rule != nullptr && std::all_of(thresholds.begin(), thresholds.end(),
                                        [&](float threshold) { return threshold == thresholds[0]; });
}

Expected<Policy> Policy::with_threshold(std::string_view rule, float threshold) {
  Policy policy;
  BITTERN_ASSIGN_OR_RETURN(policy.rule, find_rule(rule));
  BITTERN_RETURN_IF_ERROR(policy.rule->check(threshold));
  policy.thresholds.fill(threshold);
  return policy;
}

Expected<Policy> Policy::with_thresholds(std::string_view rule, std::span<const float> thresholds) {
  Policy policy;
  BITTERN_ASSIGN_OR_RETURN(policy.rule, find_rule(rule));
  if (thresholds.empty() || thresholds.size() > policy.thresholds.size()) {
    return invalid_argument("rule '" + std::string(rule) + "' was given " +
                            std::to_string(thresholds.size()) + " thresholds; give one per exit, at most " +
                            std::to_string(graph::kMaxExits));
  }
  for (std::size_t i = 0; i < thresholds.size(); ++i) {
    BITTERN_RETURN_IF_ERROR(policy.rule->check(thresholds[i]));
    policy.thresholds[i] = thresholds[i];
  }
  // The last exit answers whatever its threshold; exits beyond are never reached.
  for (std::size_t i = thresholds.size(); i < policy.thresholds.size(); ++i) {
    policy.thresholds[i] = thresholds.back();
  }
  return policy;
}

Expected<Policy> Policy::at_exit(int exit, int exits) {
  if (exit < 1 || exit > exits) {
    return invalid_argument("there is no exit " + std::to_string(exit) + "; give a number from 1 to " +
                            std::to_string(exits));
  }
  Policy policy;
  policy.exit = exit;
  return policy;
}

}  // namespace bittern::exits
