#include "cli/policy_options.h"

#include <fmt/format.h>

#include "graph/network.h"

namespace bittern::cli {

void add_policy_options(Arguments& arguments, PolicyOptions& options, const std::string& purpose) {
  std::string rules = purpose + "; entropy where neither --rule nor --exit is given";
  for (const exits::Rule& rule : exits::rules())
    rules += fmt::format("\n{}: {}; default {}", rule.name, rule.summary, rule.default_threshold);
  const Argument rule = arguments.add("--rule NAME", options.rule, rules);
  const Argument threshold =
      arguments.add("--threshold X", options.threshold, "The rule's threshold").check(at_least(0));
  arguments.add("--exit K", options.exit, "Always leave at this exit, counted from 1")
      .check(whole_within(1, graph::kMaxExits))
      .excludes(rule)
      .excludes(threshold);
}

exits::Policy rule_policy(const PolicyOptions& options) {
  const std::string name = options.rule.empty() ? std::string("entropy") : options.rule;
  const Expected<const exits::Rule*> rule = exits::find_rule(name);
  if (!rule.ok()) fail_usage(rule.error().message);
  const auto policy =
      exits::Policy::with_threshold(name, options.threshold.value_or((*rule)->default_threshold));
  if (!policy.ok()) fail_usage(policy.error().message);
  return *policy;
}

exits::Policy policy_for(const PolicyOptions& options, int exits) {
  if (options.exit == 0) return rule_policy(options);
  const auto policy = exits::Policy::at_exit(options.exit, exits);
  if (!policy.ok()) fail_usage(policy.error().message);
  return *policy;
}

std::string describe(const exits::Policy& policy) {
  if (policy.rule != nullptr)
    return fmt::format("rule {}, threshold {}", policy.rule->name, policy.thresholds[0]);
  return policy.exit == 0 ? std::string("the last exit") : fmt::format("exit {}", policy.exit);
}

}  // namespace bittern::cli
