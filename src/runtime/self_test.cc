#include "runtime/self_test.h"

#include <algorithm>
#include <bit>
#include <cstdint>

#include "core/aligned.h"
#include "core/checksum.h"
#include "features/log_mel.h"
#include "runtime/execute.h"
#include "runtime/lower.h"

namespace bittern::runtime {
namespace {

static_assert(std::endian::native == std::endian::little, "digests are over little-endian floats");

std::uint64_t digest_of(std::span<const float> values) { return checksum(std::as_bytes(values)); }

// Over the tensor's elements in order, wherever they lie.
std::uint64_t digest_of(const kernels::View<const float>& tensor) {
  Digest digest;
  for (int t = 0; t < tensor.time; ++t) {
    for (int f = 0; f < tensor.frequency; ++f) {
      digest.add(std::as_bytes(std::span(tensor.pixel(t, f), static_cast<std::size_t>(tensor.channels))));
    }
  }
  return digest.value();
}

}  // namespace

// A triangle wave whose period falls and rises again, at a level that swells, plus noise of a 32-bit linear
// congruential generator (Numerical Recipes' constants), the middle eighth left silent. Integers only; the
// last step divides by a power of two.
std::vector<float> self_test_audio(const features::LogMelSpec& spec) {
  std::vector<float> samples(static_cast<std::size_t>(spec.clip_samples));
  const auto count = static_cast<std::int64_t>(samples.size());
  std::uint32_t phase = 0;
  std::uint32_t noise = 1;
  for (std::int64_t i = 0; i < count; ++i) {
    noise = noise * 1664525U + 1013904223U;
    const std::int64_t position = i * 65536 / count;  // 0 to 65535 over the clip
    const std::int64_t fold = position < 32768 ? position : 65535 - position;
    // From 2^32 / 256 to about 2^32 / 5 a sample: a tone from 62 Hz to 3.2 kHz at 16 kHz.
    phase += static_cast<std::uint32_t>((std::int64_t{1} << 24U) + fold * 25000);
    const auto ramp = static_cast<std::int64_t>(phase >> 16U);
    const std::int64_t triangle = (ramp < 32768 ? ramp : 65535 - ramp) * 2 - 32767;
    const std::int64_t hiss = static_cast<std::int64_t>(noise >> 16U) - 32768;
    const std::int64_t level = 4096 + fold / 2;
    const bool silent = position >= 28672 && position < 36864;
    const std::int64_t value = silent ? 0 : triangle * level / 32768 + hiss / 64;
    samples[static_cast<std::size_t>(i)] =
        static_cast<float>(std::clamp<std::int64_t>(value, -32768, 32767)) / 32768.0F;
  }
  return samples;
}

Expected<model::SelfTest> compute_self_test(const std::shared_ptr<const model::Model>& model, Isa isa) {
  if (model == nullptr) return invalid_argument("a self-test needs a model");
  const std::vector<float> samples = self_test_audio(model->front_end);
  BITTERN_ASSIGN_OR_RETURN(features::LogMel front_end, features::LogMel::create(model->front_end, isa));
  BITTERN_ASSIGN_OR_RETURN(const Plan plan, lower(*model, model->front_end.clip_frames()));
  AlignedBuffer<std::byte> arena(plan.arena_bytes);
  if (arena.size() != plan.arena_bytes) {
    return Error{ErrorCode::kOutOfMemory, "no memory for the self-test"};
  }
  Executor executor(kernels::kernels(isa));
  executor.reserve(plan.longest_group);
  executor.start(plan, arena.data());
  front_end.compute(samples, executor.features());

  model::SelfTest test;
  test.features = digest_of(executor.features());
  for (int stage = 0; stage < static_cast<int>(plan.stages.size()); ++stage) {
    executor.run_stage(stage);
    test.stages.push_back(digest_of(executor.tensor(stage)));
  }
  test.logits = digest_of(executor.logits());
  return test;
}

Status run_self_test(const std::shared_ptr<const model::Model>& model, Isa isa) {
  if (model == nullptr) return invalid_argument("a self-test needs a model");
  if (!model->self_test) return unsupported("the model carries no self-test");
  const model::SelfTest& stored = *model->self_test;
  BITTERN_ASSIGN_OR_RETURN(const model::SelfTest computed, compute_self_test(model, isa));
  std::string differs;
  if (stored.features != computed.features) {
    differs = "features";
  } else if (stored.stages.size() != computed.stages.size()) {
    return corrupt("the stored self-test has " + std::to_string(stored.stages.size()) +
                   " stages, the model has " + std::to_string(computed.stages.size()) + " exits");
  } else {
    const auto pair = std::mismatch(stored.stages.begin(), stored.stages.end(), computed.stages.begin());
    if (pair.first != stored.stages.end()) {
      const auto stage = pair.first - stored.stages.begin();
      const graph::Network& network = model->network;
      const int exit = network.exits()[static_cast<std::size_t>(stage)];
      const std::string& layer = network.layer(network.layer(exit).inputs.front()).name;
      differs = "stage " + std::to_string(stage + 1) + " (" + layer + ")";
    } else if (stored.logits != computed.logits) {
      differs = "logits";
    }
  }
  if (differs.empty()) return {};
  return corrupt("self-test failed: " + differs +
                 " differs from what the model's maker computed (instruction set " + std::string(name(isa)) +
                 ")");
}

}  // namespace bittern::runtime
