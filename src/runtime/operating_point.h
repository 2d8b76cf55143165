// A model's operating points as policies.
#pragma once

#include <string_view>

#include "core/status.h"
#include "exits/rule.h"
#include "model/model.h"

namespace bittern::runtime {

// The policy of the model's operating point of that name. kNotFound names those that it has.
Expected<exits::Policy> operating_point(const model::Model& model, std::string_view name);

}  // namespace bittern::runtime
