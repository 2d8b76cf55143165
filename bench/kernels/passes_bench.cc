// What stands between convolutions, and exits, per instruction set: one pass over QuickNet's first section,
// 25 x 16 x 64, in float elements read per second.
#include <benchmark/benchmark.h>

#include <string>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/random.h"
#include "kernels/kernels.h"

namespace bittern::kernels {
namespace {

constexpr int kTime = 25;
constexpr int kFrequency = 16;
constexpr int kChannels = 64;
constexpr int kElements = kTime * kFrequency * kChannels;
constexpr int kInputs = kFrequency * kChannels;  // of an exit that keeps the frequencies
constexpr int kClasses = 12;
constexpr Window kPool{2, 2, 2, 2, 0, 0};
constexpr Window kWidePool{3, 3, 1, 1, 1, 1};

AlignedBuffer<float> random_buffer(int count) {
  Random random{2};
  AlignedBuffer<float> buffer(static_cast<std::size_t>(count));
  for (float& value : buffer.span()) value = random.uniform(-1.0F, 1.0F);
  return buffer;
}

struct Tensors {
  AlignedBuffer<float> input = random_buffer(kElements);
  AlignedBuffer<float> other = random_buffer(kElements);
  AlignedBuffer<float> output = random_buffer(kElements);
  AlignedBuffer<float> per_channel = random_buffer(kInputs);
  AlignedBuffer<float> dense = random_buffer(kInputs * kClasses);
  AlignedBuffer<std::int8_t> dense_int8{std::size_t{kInputs} * kClasses};
  AlignedBuffer<float> logits{kClasses};
  AlignedBuffer<std::uint64_t> bits{std::size_t{kTime} * kFrequency};
  AlignedBuffer<std::uint64_t> dense_bits{std::size_t{kClasses} * words_for(kInputs)};

  View<const float> from = dense_view<const float>(input.data(), kTime, kFrequency, kChannels);
  View<const float> with = dense_view<const float>(other.data(), kTime, kFrequency, kChannels);
  View<float> to = dense_view(output.data(), kTime, kFrequency, kChannels);
  View<float> halved = dense_view(output.data(), (kTime - 1) / 2, kFrequency / 2, kChannels);
  View<std::uint64_t> signs = dense_view(bits.data(), kTime, kFrequency, words_for(kChannels));
};

struct Pass {
  const char* name;
  int elements;
  void (*run)(const KernelTable& table, Tensors& t);
};
const Pass kPasses[] = {
    {"pack_signs", kElements,
     [](const KernelTable& k, Tensors& t) { k.pack_signs(t.from, nullptr, nullptr, t.signs, 0, kTime); }},
    {"pack_signs_affine", kElements,
     [](const KernelTable& k, Tensors& t) {
       k.pack_signs(t.from, t.per_channel.data(), t.per_channel.data(), t.signs, 0, kTime);
     }},
    {"max_pool_3x3", kElements,
     [](const KernelTable& k, Tensors& t) { k.max_pool(kWidePool, t.from, t.to, 0, kTime); }},
    {"max_pool_2x2_stride_2", kElements,
     [](const KernelTable& k, Tensors& t) { k.max_pool(kPool, t.from, t.halved, 0, t.halved.time); }},
    {"avg_pool_2x2_stride_2", kElements,
     [](const KernelTable& k, Tensors& t) { k.avg_pool(kPool, t.from, t.halved, 0, t.halved.time); }},
    {"relu", kElements, [](const KernelTable& k, Tensors& t) { k.relu(t.from, t.to, 0, kTime); }},
    {"affine", kElements,
     [](const KernelTable& k, Tensors& t) {
       k.affine(t.from, t.per_channel.data(), t.per_channel.data(), t.to, 0, kTime);
     }},
    {"add", kElements, [](const KernelTable& k, Tensors& t) { k.add(t.from, t.with, t.to, 0, kTime); }},
    {"copy", kElements, [](const KernelTable& k, Tensors& t) { k.copy(t.from, t.to, 0, kTime); }},
    {"mean_time_affine", kElements,
     [](const KernelTable& k, Tensors& t) {
       k.mean_time(t.from, false, t.per_channel.data(), t.per_channel.data(), t.output.data());
     }},
    {"mean_global_affine", kElements,
     [](const KernelTable& k, Tensors& t) {
       k.mean_global(t.from, false, t.per_channel.data(), t.per_channel.data(), t.output.data());
     }},
    {"dense_binary_1024x12", kInputs,
     [](const KernelTable& k, Tensors& t) {
       k.dense_binary(t.per_channel.data(), kInputs, t.dense_bits.data(), t.per_channel.data(),
                      t.per_channel.data(), kClasses, t.logits.data());
     }},
    {"dense_int8_1024x12", kInputs,
     [](const KernelTable& k, Tensors& t) {
       k.dense_int8(t.per_channel.data(), kInputs, t.dense_int8.data(), t.per_channel.data(),
                    t.per_channel.data(), kClasses, t.logits.data());
     }},
    {"dense_float_1024x12", kInputs,
     [](const KernelTable& k, Tensors& t) {
       k.dense_float(t.per_channel.data(), kInputs, t.dense.data(), t.per_channel.data(), kClasses,
                     t.logits.data());
     }},
};

void run(benchmark::State& state, Isa isa, const Pass& pass) {
  Tensors tensors;
  for (auto _ : state) {
    pass.run(kernels(isa), tensors);
    benchmark::ClobberMemory();
  }
  state.counters["elements_per_second"] =
      benchmark::Counter(static_cast<double>(pass.elements) * static_cast<double>(state.iterations()),
                         benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const Isa isa : available_isas()) {
    for (const Pass& pass : kPasses) {
      benchmark::RegisterBenchmark((std::string(pass.name) + "/" + std::string(name(isa))).c_str(),
                                   [isa, &pass](benchmark::State& state) { run(state, isa, pass); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace bittern::kernels
