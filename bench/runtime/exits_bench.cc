// Features to the logits of exit k, cumulative, on one core with random weights: the time of each exit of
// each architecture, its binary MACs per second, and the whole network per instruction set.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/random.h"
#include "graph/architecture.h"
#include "model/random_model.h"
#include "runtime/execute.h"
#include "runtime/lower.h"

namespace bittern::runtime {
namespace {

constexpr int kFrames = 98;

std::shared_ptr<const model::Model> model_of(std::string_view architecture) {
  graph::BuildOptions options;
  options.architecture = architecture;
  options.classes = 12;
  return model::random_model(graph::build(options).value(), 1);
}

void exit_of(benchmark::State& state, std::string_view architecture, int exit, Isa isa) {
  const auto model = model_of(architecture);
  const Plan plan = lower(*model, kFrames).value();
  AlignedBuffer<std::byte> arena(plan.arena_bytes);
  Executor executor(kernels::kernels(isa));
  executor.reserve(plan.longest_group);
  Random random({1});
  std::vector<float> features(static_cast<std::size_t>(kFrames) * 64);
  for (float& x : features) x = random.uniform(-13.0F, 4.0F);
  for (auto _ : state) {
    executor.start(plan, arena.data());
    std::copy(features.begin(), features.end(), executor.features().begin());
    for (int stage = 0; stage < exit; ++stage) executor.run_stage(stage);
    benchmark::DoNotOptimize(executor.logits().data());
  }
  const auto per_second = [&](std::int64_t macs) {
    return benchmark::Counter(static_cast<double>(macs), benchmark::Counter::kIsIterationInvariantRate);
  };
  state.counters["binary_macs"] = per_second(executor.trace().macs.binary);
  state.counters["float_macs"] = per_second(executor.trace().macs.floating);
  state.counters["arena_bytes"] = static_cast<double>(plan.arena_bytes);
}

void register_all() {
  for (const graph::Architecture& architecture : graph::architectures()) {
    const std::string name(architecture.name);
    const int exits = static_cast<int>(architecture.placements("").front().layers.size());
    for (int exit = 1; exit <= exits; ++exit) {
      benchmark::RegisterBenchmark((name + "/exit:" + std::to_string(exit)).c_str(), exit_of,
                                   architecture.name, exit, best_isa())
          ->Unit(benchmark::kMicrosecond);
    }
    for (const Isa isa : available_isas()) {
      if (isa == best_isa()) continue;
      benchmark::RegisterBenchmark(
          (name + "/exit:" + std::to_string(exits) + "/" + std::string(bittern::name(isa))).c_str(), exit_of,
          architecture.name, exits, isa)
          ->Unit(benchmark::kMicrosecond);
    }
  }
}

const bool kRegistered = (register_all(), true);

}  // namespace
}  // namespace bittern::runtime
