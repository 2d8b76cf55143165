// In what two recipes differ, or the conditions of two experiments.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace bittern::reproduce {

// The first option in words, "augment.mixup 0.1, not 0.2"; empty: none. A precision that is planned as "auto"
// agrees with all: it was settled when the training began, by what the processor has.
std::string difference(const nlohmann::ordered_json& stored, const nlohmann::ordered_json& planned);

}  // namespace bittern::reproduce
