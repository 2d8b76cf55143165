// Binary convolutions of real networks at 98 x 64 features, in binary MACs per second on one core, per
// instruction set. `share_of_peak` compares with xor + popcount + add on registers alone, measured in the
// same program.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/random.h"
#include "kernels/kernels.h"
#include "kernels/peak.h"

namespace bittern::kernels {
namespace {

struct Layer {
  const char* name;
  int time, frequency, inputs, outputs, stride;
  bool pad_with_one;
};
// 3 x 3, SAME.
constexpr Layer kLayers[] = {
    {"quicknet_s1", 25, 16, 64, 64, 1, true},         {"quicknet_s2", 12, 8, 128, 128, 1, true},
    {"quicknet_s3", 6, 4, 256, 256, 1, true},         {"quicknet_s4", 3, 2, 512, 512, 1, true},
    {"birealnet_s2_down", 25, 16, 64, 128, 2, false}, {"birealnet_s4", 4, 2, 512, 512, 1, false},
    {"densenet_s1_first", 25, 16, 64, 64, 1, false},  {"densenet_s1_last", 25, 16, 384, 64, 1, false},
    {"densenet_s2_last", 12, 8, 480, 64, 1, false},   {"densenet_s3_last", 6, 4, 512, 64, 1, false},
    {"meliusnet_s1_last", 25, 16, 320, 64, 1, false}, {"meliusnet_s4_last", 4, 2, 512, 64, 1, false},
};

// Processor seconds, so that other programs count less.
double seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

double peak_rate(Isa isa) {
  static std::map<Isa, double> rates;
  double& best = rates[isa];
  if (best > 0) return best;
  std::uint64_t bits = 0x243F6A8885A308D3U;
  for (int repeat = 0; repeat < 20; ++repeat) {
    const double start = seconds();
    const auto macs = static_cast<double>(popcount_peak(isa, 200'000, &bits));
    best = std::max(best, macs / (seconds() - start));
  }
  benchmark::DoNotOptimize(bits);
  return best;
}

void run(benchmark::State& state, Isa isa, const Layer& layer) {
  Random random{1};
  const auto fill = [&random](AlignedBuffer<std::uint64_t>& buffer) {
    for (std::uint64_t& word : buffer.span()) word = random.next();
  };
  const int words = words_for(layer.inputs);
  const int time = (layer.time + layer.stride - 1) / layer.stride;
  const int frequency = (layer.frequency + layer.stride - 1) / layer.stride;
  AlignedBuffer<std::uint64_t> input(static_cast<std::size_t>(layer.time * layer.frequency * words));
  AlignedBuffer<std::uint64_t> kernel(packed_kernel_words(layer.outputs, 9, layer.inputs));
  AlignedBuffer<float> output(static_cast<std::size_t>(time * frequency * layer.outputs));
  AlignedBuffer<float> norm(static_cast<std::size_t>(layer.outputs));
  fill(input);
  fill(kernel);
  // "Same" padding of a 3x3 kernel over an even size: stride 2 pads behind only.
  const int pad = layer.stride == 1 ? 1 : 0;
  const BinaryConv2dShape shape{
      {3, 3, layer.stride, layer.stride, pad, pad}, layer.inputs, layer.outputs, layer.pad_with_one};
  // As QuickNet does it: ReLU, batch norm, residual.
  Epilogue epilogue;
  epilogue.relu = true;
  epilogue.norm_scale = norm.data();
  epilogue.norm_bias = norm.data();
  const View<float> to = dense_view(output.data(), time, frequency, layer.outputs);
  epilogue.residual = to;
  const auto from = dense_view<const std::uint64_t>(input.data(), layer.time, layer.frequency, words);
  std::vector<std::int16_t> tap_bits(9 * static_cast<std::size_t>(layer.outputs));
  count_tap_bits(kernel.data(), layer.outputs, 9, layer.inputs, tap_bits.data());
  const auto& convolve = *kernels(isa).binary_conv2d;
  const double start = seconds();
  for (auto _ : state) {
    convolve(shape, from, kernel.data(), tap_bits.data(), epilogue, to, 0, time);
    benchmark::ClobberMemory();
  }
  const double elapsed = seconds() - start;
  // By the usual rule: padding counts.
  const double macs = 9.0 * layer.inputs * layer.outputs * time * frequency;
  const double done = macs * static_cast<double>(state.iterations());
  state.counters["binary_macs_per_second"] = benchmark::Counter(done, benchmark::Counter::kIsRate);
  state.counters["share_of_peak"] = done / elapsed / peak_rate(isa);
}

void run_peak(benchmark::State& state, Isa isa) {
  std::uint64_t bits = 0x243F6A8885A308D3U;
  double macs = 0;
  for (auto _ : state) macs += static_cast<double>(popcount_peak(isa, 10'000, &bits));
  benchmark::DoNotOptimize(bits);
  state.counters["binary_macs_per_second"] = benchmark::Counter(macs, benchmark::Counter::kIsRate);
}

const bool kRegistered = [] {
  for (const Isa isa : available_isas()) {
    const std::string suffix = "/" + std::string(name(isa));
    benchmark::RegisterBenchmark(("popcount_peak" + suffix).c_str(),
                                 [isa](benchmark::State& state) { run_peak(state, isa); });
    for (const Layer& layer : kLayers) {
      benchmark::RegisterBenchmark(("binary_conv2d/" + std::string(layer.name) + suffix).c_str(),
                                   [isa, &layer](benchmark::State& state) { run(state, isa, layer); });
    }
  }
  return true;
}();

}  // namespace
}  // namespace bittern::kernels
