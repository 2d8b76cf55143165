// An exponential moving average of a network's float parameters, which validation and the exported model use
// in place of the parameters themselves.
#pragma once

#include <cstdint>
#include <vector>

#include "training/modules.h"

namespace bittern::training {

// Averages what is no 1-bit kernel: an average of +-1 is no kernel, and that of latent weights has other
// signs than were trained. Batch norms' statistics are averages of their own, of the kernels as they are.
class WeightAverage {
 public:
  // decay 0: keeps nothing, and averages are the parameters.
  WeightAverage(const std::vector<Parameter>& parameters, double decay);

  // After step `step` (from 0): average <- c * average + (1 - c) * value, c = min(decay, (1 + step) / (10 +
  // step)), so that a short training soon forgets where it started. Done in double, kept in float.
  void update(std::int64_t step);

  // Exchanges averages and parameters: for Use only.
  void swap();

  // The averages, by the names of their parameters.
  const std::vector<NamedTensor>& state() const { return state_; }

  // While it lives, the parameters are the averages.
  class Use {
   public:
    explicit Use(WeightAverage& average) : average_(average) { average_.swap(); }
    ~Use() { average_.swap(); }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;

   private:
    WeightAverage& average_;
  };

 private:
  double decay_;
  std::vector<at::Tensor> parameters_;
  std::vector<NamedTensor> state_;
};

}  // namespace bittern::training
