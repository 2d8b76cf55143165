// Work to be counted by callgrind (instructions.py): each piece once, warm, its count dumped under its name.
// On AVX2, since valgrind knows no AVX-512.
#include <valgrind/callgrind.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/random.h"
#include "features/log_mel.h"
#include "graph/architecture.h"
#include "model/random_weights.h"
#include "runtime/execute.h"
#include "runtime/lower.h"

namespace bittern {
namespace {

constexpr Isa kIsa = Isa::kAvx2;

template <class Work>
void count(const std::string& name, const Work& work) {
  work();
  CALLGRIND_ZERO_STATS;
  work();
  CALLGRIND_DUMP_STATS_AT(name.c_str());
}

std::vector<float> noise(std::size_t size, float low, float high) {
  Random random{1};
  std::vector<float> values(size);
  for (float& value : values) value = random.uniform(low, high);
  return values;
}

Status count_front_end() {
  const features::LogMelSpec spec;
  BITTERN_ASSIGN_OR_RETURN(auto log_mel, features::LogMel::create(spec, kIsa));
  const auto samples = noise(static_cast<std::size_t>(spec.clip_samples), -0.5F, 0.5F);
  std::vector<float> output(static_cast<std::size_t>(spec.clip_frames() * spec.mel_bins));
  count("front end", [&] { log_mel.compute(samples, output); });
  return {};
}

// Features to the logits of each exit from `first_exit` on.
Status count_network(const char* architecture, int first_exit) {
  const int frames = features::LogMelSpec().clip_frames();
  graph::BuildOptions options;
  options.architecture = architecture;
  options.classes = 12;
  BITTERN_ASSIGN_OR_RETURN(const graph::Network network, graph::build(options));
  const auto model = model::random_model(network, 1);
  BITTERN_ASSIGN_OR_RETURN(const runtime::Plan plan, runtime::lower(*model, frames));
  AlignedBuffer<std::byte> arena(plan.arena_bytes);
  runtime::Executor executor(kernels::kernels(kIsa));
  executor.reserve(plan.longest_group);
  executor.start(plan, arena.data());
  const auto features = noise(executor.features().size(), -13.0F, 4.0F);
  for (int exit = first_exit; exit <= network.exit_count(); ++exit) {
    count(std::string(architecture) + " exit " + std::to_string(exit), [&] {
      executor.start(plan, arena.data());
      std::copy(features.begin(), features.end(), executor.features().begin());
      for (int stage = 0; stage < exit; ++stage) executor.run_stage(stage);
    });
  }
  return {};
}

Status run() {
  BITTERN_RETURN_IF_ERROR(count_front_end());
  BITTERN_RETURN_IF_ERROR(count_network("quicknet", 1));
  for (const char* architecture : {"birealnet-18", "binarydensenet-28", "meliusnet-22"})
    BITTERN_RETURN_IF_ERROR(count_network(architecture, 5));
  BITTERN_RETURN_IF_ERROR(count_network("bittern-small", 1));
  return {};
}

}  // namespace
}  // namespace bittern

int main() {
  const auto isas = bittern::available_isas();
  if (std::find(isas.begin(), isas.end(), bittern::kIsa) == isas.end()) {
    std::fprintf(stderr, "skipped: this processor has no AVX2\n");
    return 77;
  }
  const bittern::Status done = bittern::run();
  if (!done.ok()) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done.ok() ? 0 : 1;
}
