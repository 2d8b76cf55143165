// The options by which a command is told when to leave: --rule with --threshold, --exit, or
// --operating-point.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/arguments.h"
#include "exits/rule.h"
#include "model/model.h"

namespace bittern::cli {

struct PolicyOptions {
  std::string rule;                // empty: entropy
  std::optional<float> threshold;  // none: the rule's default
  int exit = 0;                    // from 1; 0: by rule
  std::string operating_point;     // of the model; empty: by exit or rule
};

// `purpose` is what the help of --rule begins with.
std::vector<Argument> add_policy_options(Arguments& arguments, PolicyOptions& options,
                                         const std::string& purpose);

// The policy by rule, checked. Wrong usage where the rule is unknown or refuses the threshold.
exits::Policy rule_policy(const PolicyOptions& options);

// The policy for `model`. Wrong usage where it has no exit of that number, no operating point of that name.
exits::Policy policy_for(const PolicyOptions& options, const model::Model& model);

// "rule entropy, threshold 0.5": rule and threshold, the exit, or the operating point, for a title.
std::string describe(const PolicyOptions& options, const exits::Policy& policy);

}  // namespace bittern::cli
