// bittern classify MODEL --features FILE --logits --json: what every exit says of features that another
// program made, to compare with what that program says.
#pragma once

#include <memory>
#include <string>

#include "core/status.h"
#include "model/model.h"

namespace bittern::cli {

// Prints a line of JSON per clip: {"clip": from 0, "logits": [exit][class]}, before temperature.
Status print_feature_logits(const std::shared_ptr<const model::Model>& model, const std::string& features);

}  // namespace bittern::cli
