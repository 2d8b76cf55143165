// The makers of the rules, one per file; rules.cc lists them.
#pragma once

#include "exits/rule.h"

namespace bittern::exits {

Rule entropy_rule();
Rule max_probability_rule();
Rule margin_rule();
Rule patience_rule();

}  // namespace bittern::exits
