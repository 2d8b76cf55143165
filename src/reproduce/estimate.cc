#include "reproduce/estimate.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <vector>

#include "datasets/dataset.h"
#include "graph/architecture.h"
#include "graph/counts.h"
#include "kernels/peak.h"

namespace bittern::reproduce {
namespace {

// Of the rate at which one thread multiplies and adds floats in registers, what a training gets done in MACs
// of the forward pass, of which it does about three times as many.
constexpr double kShareOfPeak = 0.35;

double float_macs_per_second() {
  using Clock = std::chrono::steady_clock;
  std::uint64_t state = 1;
  double best = 0;
  for (int repeat = 0; repeat < 5; ++repeat) {
    const Clock::time_point start = Clock::now();
    const auto macs = static_cast<double>(kernels::float_peak(best_isa(), 100'000, &state));
    best = std::max(best, macs / std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

// MACs of one clip through the network, up to each exit; the last is the joint network's too.
Expected<std::vector<double>> macs_of(const Experiment& experiment, const Network& network) {
  graph::BuildOptions options;
  options.architecture = network.architecture;
  options.placement = experiment.placement;
  options.classes = 2;
  BITTERN_ASSIGN_OR_RETURN(const graph::Network built, graph::build(options));
  std::vector<double> macs;
  for (const graph::ExitCounts& exit : graph::count(built).exits)
    macs.push_back(static_cast<double>(exit.cumulative.binary + exit.cumulative.floating));
  return macs;
}

struct Known {
  double work = 0;  // MACs
  double seconds = 0;
};

}  // namespace

Expected<Estimate> estimate(const Experiment& experiment, const Folder& folder, int jobs) {
  std::vector<std::vector<double>> macs;
  for (const Network& network : experiment.networks) {
    BITTERN_ASSIGN_OR_RETURN(std::vector<double> of_network, macs_of(experiment, network));
    macs.push_back(std::move(of_network));
  }
  std::vector<double> clips;
  for (const Task& task : experiment.tasks) {
    BITTERN_ASSIGN_OR_RETURN(const datasets::Dataset dataset, datasets::scan(task.data, experiment.scan));
    clips.push_back(static_cast<double>(dataset.of(datasets::Split::kTrain).size()));
  }
  const auto epoch_work = [&](const Run& run) {
    const std::vector<double>& of_network = macs[run.network];
    const double up_to =
        run.single_exit == 0 ? of_network.back() : of_network[static_cast<std::size_t>(run.single_exit - 1)];
    return clips[run.task] * up_to;
  };

  Estimate result;
  Known all;
  std::map<std::size_t, Known> of_network;  // networks differ in how well they use the machine
  for (const Run& run : experiment.runs()) {
    const RunState state = state_of(folder, experiment, run);
    if (state.recorded) continue;  // nobody knows how long it took
    for (Known* known : {&all, &of_network[run.network]}) {
      known->work += epoch_work(run) * state.epochs;
      known->seconds += state.seconds;
    }
    result.measured_epochs += static_cast<std::size_t>(state.epochs);
  }
  double longest = 0;
  int left = 0;
  if (result.measured_epochs == 0) all = {kShareOfPeak * float_macs_per_second(), 1};
  for (const Run& run : experiment.runs()) {
    const RunState state = state_of(folder, experiment, run);
    if (state.done) continue;
    const Known& own = of_network[run.network];
    const Known& known = own.seconds > 0 && own.work > 0 ? own : all;
    const double seconds =
        epoch_work(run) * std::max(0, experiment.epochs - state.epochs) * known.seconds / known.work;
    result.seconds += seconds;
    longest = std::max(longest, seconds);
    ++left;
  }
  // No training is shared out, and there may be fewer left than could run.
  if (left > 0) result.seconds = std::max(longest, result.seconds / std::min(jobs, left));
  return result;
}

}  // namespace bittern::reproduce
