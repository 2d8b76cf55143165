// The front end's speed: a second of audio at once, and as it arrives.
#include <benchmark/benchmark.h>

#include <string>
#include <vector>

#include "core/random.h"
#include "features/log_mel.h"

namespace bittern::features {
namespace {

std::vector<float> noise(std::size_t count) {
  Random random{1};
  std::vector<float> x(count);
  for (float& s : x) s = random.uniform(-0.5F, 0.5F);
  return x;
}

void count_frames(benchmark::State& state, std::size_t frames) {
  state.counters["frames/s"] = benchmark::Counter(
      static_cast<double>(frames) * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void one_second(benchmark::State& state, Isa isa) {
  const LogMelSpec spec;
  auto log_mel = LogMel::create(spec, isa);
  if (!log_mel.ok()) return state.SkipWithError(log_mel.error().message.c_str());
  const auto samples = noise(static_cast<std::size_t>(spec.clip_samples));
  const auto frames = static_cast<std::size_t>(spec.clip_frames());
  std::vector<float> output(frames * static_cast<std::size_t>(spec.mel_bins));
  while (state.KeepRunning()) {
    log_mel->compute(samples, output);
    benchmark::DoNotOptimize(output.data());
    benchmark::ClobberMemory();
  }
  count_frames(state, frames);
}

// One hop a call, a frame each: the latency that a stream sees.
void hop_by_hop(benchmark::State& state, Isa isa) {
  const LogMelSpec spec;
  auto log_mel = LogMel::create(spec, isa);
  if (!log_mel.ok()) return state.SkipWithError(log_mel.error().message.c_str());
  const auto samples = noise(static_cast<std::size_t>(spec.hop));
  std::vector<float> output(static_cast<std::size_t>(spec.mel_bins));
  std::size_t frames = 0;
  while (state.KeepRunning()) {
    frames += log_mel->push(samples, output);
    benchmark::DoNotOptimize(output.data());
    benchmark::ClobberMemory();
  }
  state.counters["frames/s"] = benchmark::Counter(static_cast<double>(frames), benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const Isa isa : available_isas()) {
    benchmark::RegisterBenchmark(("one_second/" + std::string(name(isa))).c_str(), one_second, isa)
        ->Unit(benchmark::kMicrosecond);
    benchmark::RegisterBenchmark(("hop_by_hop/" + std::string(name(isa))).c_str(), hop_by_hop, isa)
        ->Unit(benchmark::kMicrosecond);
  }
  return true;
}();

}  // namespace
}  // namespace bittern::features
