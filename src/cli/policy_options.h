// The options by which a command is told when to leave: --rule with --threshold, or --exit.
#pragma once

#include <optional>
#include <string>

#include "cli/arguments.h"
#include "exits/rule.h"

namespace bittern::cli {

struct PolicyOptions {
  std::string rule;                // empty: entropy
  std::optional<float> threshold;  // none: the rule's default
  int exit = 0;                    // from 1; 0: by rule
};

// `purpose` is what the help of --rule begins with.
void add_policy_options(Arguments& arguments, PolicyOptions& options, const std::string& purpose);

// The policy by rule, checked. Wrong usage where the rule is unknown or refuses the threshold.
exits::Policy rule_policy(const PolicyOptions& options);

// The policy for a model with `exits` exits. Wrong usage where it has no exit of that number.
exits::Policy policy_for(const PolicyOptions& options, int exits);

// "entropy below 0.5 leaves": rule and threshold, or the exit, for a title.
std::string describe(const exits::Policy& policy);

}  // namespace bittern::cli
