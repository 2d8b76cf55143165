#include "training/weight_average.h"

#include <algorithm>
#include <cstddef>

#include "training/torch.h"

namespace bittern::training {

WeightAverage::WeightAverage(const std::vector<Parameter>& parameters, double decay) : decay_(decay) {
  if (decay_ == 0) return;
  for (const Parameter& parameter : parameters) {
    if (parameter.binary) continue;
    parameters_.push_back(parameter.value);
    state_.push_back({parameter.name + ".average", parameter.value.detach().clone()});
  }
}

void WeightAverage::update(std::int64_t step) {
  const at::NoGradGuard no_grad;
  const auto n = static_cast<double>(step);
  const double rest = 1 - std::min(decay_, (1 + n) / (10 + n));
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor average = state_[i].value.to(at::kDouble);
    state_[i].value.copy_(average + (parameters_[i].to(at::kDouble) - average) * rest);
  }
}

void WeightAverage::swap() {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const at::Tensor value = parameters_[i].detach().clone();
    parameters_[i].copy_(state_[i].value);
    state_[i].value.copy_(value);
  }
}

}  // namespace bittern::training
