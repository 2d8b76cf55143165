// Where the time of steps goes, from torch's own profiling hooks.
#pragma once

#include <map>
#include <memory>
#include <string>

namespace bittern::training {

// Scopes' names in the steps timed here.
inline constexpr const char* kWaitScope = "wait for a batch";
inline constexpr const char* kBackwardScope = "backward";
inline constexpr const char* kOptimizerScope = "optimizer";

// While it is alive, adds up the seconds that the making thread spends: "forward <kind of layer>" and
// "backward <operation>", "backward, rest", and the scopes that are named above.
class StepSplit {
 public:
  StepSplit();
  ~StepSplit();
  StepSplit(const StepSplit&) = delete;
  StepSplit& operator=(const StepSplit&) = delete;

  std::map<std::string, double> seconds() const;

 private:
  struct Hooks;
  std::unique_ptr<Hooks> hooks_;
};

}  // namespace bittern::training
