// One step over all parameters of a network: Bop or Adam for the 1-bit kernels, Adam for the rest.
#pragma once

#include <cstdint>
#include <vector>

#include "training/adam.h"
#include "training/modules.h"
#include "training/recipe.h"

namespace bittern::training {

class Optimizer {
 public:
  Optimizer(std::vector<Parameter> parameters, const Recipe& recipe, std::int64_t steps);

  // Uses and drops the parameters' gradients. step: from 0; rates follow the recipe's schedules over `steps`;
  // each of two stages has the whole of them to itself.
  void step(std::int64_t step);
  double learning_rate(std::int64_t step) const;

  // The parameters that were real first (modules.h) are 1-bit now. fresh: just now, so that Bop's averages
  // start at 0; else a run goes on whose averages are restored.
  void begin_binary_stage(bool fresh);

  // Moving averages, by the names of their parameters.
  const std::vector<NamedTensor>& state() const { return state_; }

 private:
  struct Slot {
    Parameter parameter;
    at::Tensor first;   // Bop's average or Adam's first moment, in its first stage
    at::Tensor second;  // Adam's second moment
    bool bop = false;
  };
  struct Rates {  // of one step
    AdamSettings adam;
    float gamma = 0;
  };
  void step_on_cpu(Slot& slot, const at::Tensor& gradient, const Rates& rates, std::int64_t step);
  void step_on_device(Slot& slot, const at::Tensor& gradient, const Rates& rates, std::int64_t step);

  double rate(Schedule schedule, double start, double end, double warmup_epochs, std::int64_t step) const;

  Recipe recipe_;
  std::int64_t steps_;
  std::vector<Slot> slots_;
  std::vector<NamedTensor> state_;
};

}  // namespace bittern::training
