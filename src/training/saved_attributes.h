// How an autograd function's forward hands a layer's attributes to its backward: torch saves integers, not
// pointers. The network that owns them outlives both.
#pragma once

#include <cstdint>

#include "training/torch.h"

namespace bittern::training {

template <class Attributes>
void save_attributes(torch::autograd::AutogradContext* context, const Attributes* attributes) {
  context->saved_data["attributes"] = reinterpret_cast<std::int64_t>(attributes);
}

// `Attributes` must be what was saved.
template <class Attributes>
const Attributes& saved_attributes(torch::autograd::AutogradContext* context) {
  // NOLINTNEXTLINE(performance-no-int-to-ptr): see above
  return *reinterpret_cast<const Attributes*>(context->saved_data["attributes"].toInt());
}

}  // namespace bittern::training
