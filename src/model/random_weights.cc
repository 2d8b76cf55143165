#include "model/random_weights.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/int8_kernel.h"
#include "core/random.h"

namespace bittern::model {
namespace {

// Owns what a model's tensors point to.
struct RandomStorage {
  std::vector<AlignedBuffer<float>> floats;
  std::vector<AlignedBuffer<std::uint64_t>> words;
  std::vector<AlignedBuffer<std::int8_t>> bytes;

  std::span<float> add_floats(std::uint64_t count) {
    return count == 0 ? std::span<float>() : floats.emplace_back(static_cast<std::size_t>(count)).span();
  }
  std::span<std::uint64_t> add_words(std::uint64_t count) {
    return count == 0 ? std::span<std::uint64_t>()
                      : words.emplace_back(static_cast<std::size_t>(count)).span();
  }
  std::span<std::int8_t> add_bytes(std::uint64_t count) {
    return count == 0 ? std::span<std::int8_t>() : bytes.emplace_back(static_cast<std::size_t>(count)).span();
  }
};

void fill(std::span<float> values, Random& random, float low, float high) {
  for (float& value : values) value = random.uniform(low, high);
}

// A scale as training leaves them: mostly positive, some negative, now and then exactly 0.
void fill_scales(std::span<float> values, Random& random, float high) {
  for (float& value : values) {
    value = random.uniform(0.2F * high, high);
    const std::uint64_t draw = random.below(64);
    if (draw == 0) value = 0.0F;
    if (draw > 0 && draw < 9) value = -value;
  }
}

// Random kernel bits with zeroed padding: packed from floats, so that the layout is core/bits.h's.
void fill_kernel_bits(std::span<std::uint64_t> bits, Random& random, int outputs, int taps, int inputs) {
  std::vector<float> kernel(static_cast<std::size_t>(outputs) * static_cast<std::size_t>(taps) *
                            static_cast<std::size_t>(inputs));
  fill(kernel, random, -1.0F, 1.0F);
  pack_kernel(kernel.data(), outputs, taps, inputs, bits.data());
}

void fill_row_bits(std::span<std::uint64_t> bits, Random& random, int inputs) {
  const auto words = static_cast<std::size_t>(words_for(inputs));
  std::vector<float> row(static_cast<std::size_t>(inputs));
  for (std::size_t start = 0; start < bits.size(); start += words) {
    fill(row, random, -1.0F, 1.0F);
    pack_row(row.data(), inputs, bits.data() + start);
  }
}

std::int8_t random_int8(Random& random) {
  return static_cast<std::int8_t>(static_cast<int>(random.below(255)) - 127);
}

// Padding stays 0, as in fill_kernel_bits().
void fill_int8_kernel(std::span<std::int8_t> packed, Random& random, const graph::Conv2d& conv, int inputs) {
  const int values = conv.kernel.frequency * inputs;
  std::vector<std::int8_t> kernel(static_cast<std::size_t>(conv.kernel.time) *
                                  static_cast<std::size_t>(values) *
                                  static_cast<std::size_t>(conv.out_channels));
  for (std::int8_t& value : kernel) value = random_int8(random);
  pack_int8_kernel(kernel.data(), conv.out_channels, conv.kernel.time, values, packed.data());
}

}  // namespace

features::LogMelSpec front_end_for(const graph::Shape& input) {
  features::LogMelSpec spec;
  spec.mel_bins = input.frequency;
  if (input.time != spec.clip_frames()) spec.clip_samples = spec.frame_length + (input.time - 1) * spec.hop;
  return spec;
}

std::shared_ptr<Model> random_model(const graph::Network& network, std::uint64_t seed) {
  auto storage = std::make_shared<RandomStorage>();
  auto model = std::make_shared<Model>();
  model->network = network;
  for (int i = 0; i < static_cast<int>(network.layers().size()); ++i) {
    Random random{seed, static_cast<std::uint64_t>(i)};
    const graph::Op& op = network.layer(i).op;
    const LayerSizes sizes = sizes_of(network, i);
    const auto kernel = storage->add_floats(sizes.kernel);
    const auto bits = storage->add_words(sizes.bits);
    const auto scale = storage->add_floats(sizes.scale);
    const auto bias = storage->add_floats(sizes.bias);
    const auto norm_scale = storage->add_floats(sizes.norm_scale);
    const auto norm_bias = storage->add_floats(sizes.norm_bias);
    const auto int8_kernel = storage->add_bytes(sizes.int8_kernel);
    fill(kernel, random, -0.3F, 0.3F);
    const auto* conv2d = std::get_if<graph::Conv2d>(&op);
    const auto* exit = std::get_if<graph::Exit>(&op);
    const bool int8 = conv2d != nullptr && conv2d->int8;
    const bool int8_exit = exit != nullptr && exit->dense == graph::ExitDense::kInt8;
    // A step of weights and one of levels; a step of weights alone; what a sign stands for.
    fill_scales(scale, random, int8 ? 5e-5F : int8_exit ? 1e-3F : 0.1F);
    fill(bias, random, -0.5F, 0.5F);
    fill_scales(norm_scale, random, 1.0F);
    fill(norm_bias, random, -0.5F, 0.5F);
    if (const auto* conv = std::get_if<graph::BinaryConv2d>(&op)) {
      fill_kernel_bits(bits, random, conv->out_channels, conv->kernel.time * conv->kernel.frequency,
                       network.input_of(i).channels);
    } else if (int8) {
      fill_int8_kernel(int8_kernel, random, *conv2d, network.input_of(i).channels);
    } else if (exit != nullptr) {
      fill_row_bits(bits, random, graph::dense_inputs(*exit, network.input_of(i)));
      for (std::int8_t& value : int8_kernel) value = random_int8(random);
    }
    model->weights.push_back({.kernel = kernel,
                              .bits = bits,
                              .scale = scale,
                              .bias = bias,
                              .norm_scale = norm_scale,
                              .norm_bias = norm_bias,
                              .int8_kernel = int8_kernel});
  }
  model->front_end = front_end_for(network.input_shape());
  for (int i = 0; i < network.classes(); ++i) model->labels.push_back("label-" + std::to_string(i));
  const auto exits = static_cast<std::size_t>(network.exit_count());
  model->temperatures.assign(exits, 1.0F);
  model->operating_points.push_back(
      {"half", "entropy", std::vector<float>(exits, 0.5F), "nothing: the weights are random"});
  model->provenance.architecture = network.architecture();
  model->provenance.placement = "paper";
  model->provenance.data_name = "none";
  model->provenance.seed = seed;
  model->storage = std::move(storage);
  return model;
}

}  // namespace bittern::model
