// Float layers of real networks at 98 x 64 features, per instruction set, and those that may be in int8 in
// int8 too, with signs for a 1-bit layer behind.
#include <benchmark/benchmark.h>

#include <string>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/int8_kernel.h"
#include "core/random.h"
#include "kernels/kernels.h"

namespace bittern::kernels {
namespace {

struct Layer {
  const char* name;
  int time, frequency, inputs, outputs, groups;
  Window window;
};
constexpr Layer kLayers[] = {
    {"quicknet_stem_3x3", 98, 64, 1, 16, 1, {3, 3, 2, 2, 0, 0}},
    {"quicknet_stem_depthwise", 49, 32, 16, 16, 16, {3, 3, 2, 2, 1, 0}},
    {"quicknet_stem_1x1", 25, 16, 16, 64, 1, {1, 1, 1, 1, 0, 0}},
    {"quicknet_blur", 24, 15, 64, 64, 64, {3, 3, 2, 2, 0, 1}},
    {"quicknet_t2_1x1", 12, 8, 64, 128, 1, {1, 1, 1, 1, 0, 0}},
    {"quicknet_t4_1x1", 3, 2, 256, 512, 1, {1, 1, 1, 1, 0, 0}},
    {"birealnet_stem_7x7", 98, 64, 1, 64, 1, {7, 7, 2, 2, 2, 2}},
    {"densenet_t1_1x1", 12, 8, 448, 160, 1, {1, 1, 1, 1, 0, 0}},
    {"meliusnet_stem_3x3", 98, 64, 1, 32, 1, {3, 3, 2, 2, 0, 0}},
    {"meliusnet_group4_3x3", 49, 32, 32, 32, 4, {3, 3, 1, 1, 1, 1}},
    {"meliusnet_group8_3x3", 49, 32, 32, 64, 8, {3, 3, 1, 1, 1, 1}},
    {"stem_3x5", 49, 32, 1, 64, 1, {3, 5, 2, 4, 0, 0}},
    {"stem_5x8", 98, 64, 1, 64, 1, {5, 8, 4, 4, 0, 2}},
    {"stem_7x8", 98, 64, 1, 64, 1, {7, 8, 5, 8, 2, 0}},
    {"stem_5x16", 98, 64, 1, 64, 1, {5, 16, 4, 16, 0, 0}},
    {"t2_1x1", 12, 7, 64, 64, 1, {1, 1, 1, 1, 0, 0}},
    {"t3_1x1", 6, 3, 64, 128, 1, {1, 1, 1, 1, 0, 0}},
};

AlignedBuffer<float> random_buffer(int count) {
  Random random{2};
  AlignedBuffer<float> buffer(static_cast<std::size_t>(count));
  for (float& value : buffer.span()) value = random.uniform(-1.0F, 1.0F);
  return buffer;
}

bool fits_int8(const Layer& layer) {
  return layer.groups == 1 && layer.outputs % kInt8Lanes == 0 && layer.outputs <= kMaxInt8Outputs &&
         layer.inputs * layer.window.taps() <= kMaxInt8Terms &&
         int8_window_bytes(layer.window.kernel_time, layer.frequency + layer.window.kernel_frequency,
                           layer.inputs) <= kMaxInt8Window;
}

void run(benchmark::State& state, Isa isa, const Layer& layer) {
  const Window& w = layer.window;
  const int time = (layer.time + w.stride_time - 1) / w.stride_time;
  const int frequency = (layer.frequency + w.stride_frequency - 1) / w.stride_frequency;
  const auto input = random_buffer(layer.time * layer.frequency * layer.inputs);
  const auto kernel = random_buffer(w.taps() * layer.inputs / layer.groups * layer.outputs);
  const auto norm = random_buffer(layer.outputs);
  auto output = random_buffer(time * frequency * layer.outputs);
  Epilogue epilogue;
  epilogue.norm_scale = norm.data();
  epilogue.norm_bias = norm.data();
  epilogue.final_relu = true;
  const Conv2dShape shape{w, layer.inputs, layer.outputs, layer.groups};
  const auto from = dense_view(input.data(), layer.time, layer.frequency, layer.inputs);
  const auto to = dense_view(output.data(), time, frequency, layer.outputs);
  const auto& convolve = *kernels(isa).conv2d;
  for (auto _ : state) {
    convolve(shape, from, kernel.data(), epilogue, to, 0, time);
    benchmark::ClobberMemory();
  }
  const double macs = 1.0 * w.taps() * layer.inputs / layer.groups * layer.outputs * time * frequency;
  state.counters["float_macs_per_second"] =
      benchmark::Counter(macs * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

void run_int8(benchmark::State& state, Isa isa, const Layer& layer) {
  const Window& w = layer.window;
  const int time = (layer.time + w.stride_time - 1) / w.stride_time;
  const int frequency = (layer.frequency + w.stride_frequency - 1) / w.stride_frequency;
  const auto input = random_buffer(layer.time * layer.frequency * layer.inputs);
  const int values = w.kernel_frequency * layer.inputs;
  AlignedBuffer<std::int8_t> kernel(int8_kernel_bytes(layer.outputs, w.kernel_time, values));
  Random random{3};
  for (std::int8_t& weight : kernel.span()) weight = static_cast<std::int8_t>(random.below(256));
  const auto norm = random_buffer(layer.outputs);
  auto output = random_buffer(time * frequency * layer.outputs);
  Epilogue epilogue;
  epilogue.scale = norm.data();
  epilogue.norm_scale = norm.data();
  epilogue.norm_bias = norm.data();
  AlignedBuffer<std::uint64_t> signs(static_cast<std::size_t>(time * frequency * words_for(layer.outputs)));
  epilogue.signs = dense_view(signs.data(), time, frequency, words_for(layer.outputs));
  const Int8Conv2dShape shape{w, layer.inputs, layer.outputs, 16.0F, 160};
  const auto from = dense_view(input.data(), layer.time, layer.frequency, layer.inputs);
  const auto to = dense_view(output.data(), time, frequency, layer.outputs);
  const auto& convolve = *kernels(isa).conv2d_int8;
  for (auto _ : state) {
    convolve(shape, from, kernel.data(), epilogue, to, 0, time);
    benchmark::ClobberMemory();
  }
  const double macs = 1.0 * w.taps() * layer.inputs * layer.outputs * time * frequency;
  state.counters["int8_macs_per_second"] =
      benchmark::Counter(macs * static_cast<double>(state.iterations()), benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const Isa isa : available_isas()) {
    const std::string suffix = "/" + std::string(name(isa));
    for (const Layer& layer : kLayers) {
      benchmark::RegisterBenchmark(("conv2d/" + std::string(layer.name) + suffix).c_str(),
                                   [isa, &layer](benchmark::State& state) { run(state, isa, layer); });
      if (!fits_int8(layer)) continue;
      benchmark::RegisterBenchmark(("conv2d_int8/" + std::string(layer.name) + suffix).c_str(),
                                   [isa, &layer](benchmark::State& state) { run_int8(state, isa, layer); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace bittern::kernels
