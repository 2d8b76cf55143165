#include "cli/policy_options.h"

#include <fmt/format.h>

#include "graph/network.h"
#include "runtime/operating_point.h"

namespace bittern::cli {

std::vector<Argument> add_policy_options(Arguments& arguments, PolicyOptions& options,
                                         const std::string& purpose) {
  std::string rules = purpose + "; entropy where neither --rule nor --exit is given";
  for (const exits::Rule& rule : exits::rules())
    rules += fmt::format("\n{}: {}; default {}", rule.name, rule.summary, rule.default_threshold);
  const Argument rule = arguments.add("--rule NAME", options.rule, rules);
  const Argument threshold =
      arguments.add("--threshold X", options.threshold, "The rule's threshold").check(at_least(0));
  const Argument exit = arguments.add("--exit K", options.exit, "Always leave at this exit, counted from 1")
                            .check(whole_within(1, graph::kMaxExits))
                            .excludes(rule)
                            .excludes(threshold);
  const Argument point = arguments
                             .add("--operating-point NAME", options.operating_point,
                                  "The rule and thresholds that the model has under this name")
                             .check(not_empty())
                             .excludes(rule)
                             .excludes(threshold)
                             .excludes(exit);
  return {rule, threshold, exit, point};
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

exits::Policy policy_for(const PolicyOptions& options, const model::Model& model) {
  if (options.exit == 0 && options.operating_point.empty()) return rule_policy(options);
  const auto policy = options.exit != 0 ? exits::Policy::at_exit(options.exit, model.network.exit_count())
                                        : runtime::operating_point(model, options.operating_point);
  if (!policy.ok()) fail_usage(policy.error().message);
  return *policy;
}

std::string describe(const PolicyOptions& options, const exits::Policy& policy) {
  if (!options.operating_point.empty()) return fmt::format("operating point {}", options.operating_point);
  if (policy.rule != nullptr)
    return fmt::format("rule {}, threshold {}", policy.rule->name, policy.thresholds[0]);
  return policy.exit == 0 ? std::string("the last exit") : fmt::format("exit {}", policy.exit);
}

}  // namespace bittern::cli
