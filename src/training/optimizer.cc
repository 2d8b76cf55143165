#include "training/optimizer.h"

#include <cmath>
#include <span>
#include <utility>

#include "training/adam.h"
#include "training/bop.h"
#include "training/portable.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

std::span<float> values(const at::Tensor& tensor) {
  return {tensor.data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

}  // namespace

Optimizer::Optimizer(std::vector<Parameter> parameters, const Recipe& recipe, std::int64_t steps)
    : recipe_(recipe), steps_(steps) {
  for (Parameter& parameter : parameters) {
    Slot slot;
    const bool bop = parameter.binary && recipe.binary_optimizer == BinaryOptimizer::kBop;
    slot.bop = bop && !parameter.real_first;
    slot.first = at::zeros_like(parameter.value, at::TensorOptions().requires_grad(false));
    state_.push_back({parameter.name + (bop ? ".bop_average" : ".adam_first"), slot.first});
    if (!slot.bop) {
      slot.second = at::zeros_like(slot.first);
      state_.push_back({parameter.name + ".adam_second", slot.second});
    }
    slot.parameter = std::move(parameter);
    slots_.push_back(std::move(slot));
  }
}

double Optimizer::rate(Schedule schedule, double start, double end, double warmup_epochs,
                       std::int64_t step) const {
  const std::int64_t first_stage = steps_ * recipe_.float_epochs / recipe_.epochs;
  const std::int64_t warmup = std::llround(warmup_epochs * static_cast<double>(steps_) / recipe_.epochs);
  if (step < first_stage) return rate_at(schedule, start, end, step, first_stage, warmup);
  return rate_at(schedule, start, end, step - first_stage, steps_ - first_stage, warmup);
}

void Optimizer::begin_binary_stage(bool fresh) {
  if (recipe_.binary_optimizer != BinaryOptimizer::kBop) return;  // latent weights: Adam goes on
  for (Slot& slot : slots_) {
    if (!slot.parameter.real_first) continue;
    slot.bop = true;
    if (fresh) slot.first.zero_();
  }
}

double Optimizer::learning_rate(std::int64_t step) const {
  return rate(recipe_.schedule, recipe_.learning_rate, 0, recipe_.warmup_epochs, step);
}

void Optimizer::step(std::int64_t step) {
  const at::NoGradGuard no_grad;
  Rates rates;
  rates.adam.learning_rate = learning_rate(step);
  rates.gamma = static_cast<float>(
      rate(recipe_.bop_schedule, recipe_.bop_gamma, recipe_.bop_gamma_end, recipe_.bop_warmup_epochs, step));
  for (Slot& slot : slots_) {
    at::Tensor value = slot.parameter.value;
    if (!value.grad().defined()) continue;  // no loss depends on it
    const at::Tensor gradient = value.grad().contiguous();
    if (value.is_cpu()) {
      step_on_cpu(slot, gradient, rates, step);
    } else {
      step_on_device(slot, gradient, rates, step);
    }
    value.mutable_grad() = at::Tensor();
  }
}

void Optimizer::step_on_cpu(Slot& slot, const at::Tensor& gradient, const Rates& rates, std::int64_t step) {
  const std::span<float> weights = values(slot.parameter.value);
  if (slot.bop) {
    bop_step(weights, values(gradient), values(slot.first), rates.gamma,
             static_cast<float>(recipe_.bop_threshold));
    return;
  }
  adam_step(weights, values(gradient), values(slot.first), values(slot.second), rates.adam, step + 1);
  if (slot.parameter.binary) clip_weights(weights, slot.parameter.clip);
}

void Optimizer::step_on_device(Slot& slot, const at::Tensor& gradient, const Rates& rates,
                               std::int64_t step) {
  at::Tensor& weights = slot.parameter.value;
  if (slot.bop) {
    portable::bop_step(weights, gradient, slot.first, rates.gamma, static_cast<float>(recipe_.bop_threshold));
    return;
  }
  portable::adam_step(weights, gradient, slot.first, slot.second, rates.adam, step + 1);
  if (slot.parameter.binary) weights.clamp_(-slot.parameter.clip, slot.parameter.clip);
}

}  // namespace bittern::training
