// A model in memory: all that an answer depends on. Made by the trainer or by read(), immutable afterwards.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "features/log_mel_spec.h"
#include "graph/network.h"

namespace bittern::model {

// The tensors of one layer, by role; those a layer does not have are empty. Views into Model::storage,
// 64-byte aligned.
//   Conv2d        kernel [time, frequency, in / groups, out] (HWIO); bias [out] where it has one
//                 int8: int8_kernel (core/int8_kernel.h); scale [out]: y = sum * scale
//   BinaryConv2d  bits: packed_kernel_words(out, taps, in) words (core/bits.h); scale [out] where has_scale()
//   BatchNorm     scale, bias [channels]: y = x * scale + bias
//   Prelu         scale [channels]: the slopes
//   Exit          norm_scale, norm_bias [channels] (before the pool) or [inputs] (after it); then
//                 binary dense: bits [classes][words_for(inputs)], scale, bias [classes]
//                 float dense: kernel [inputs, classes], bias [classes]
//                 int8 dense: int8_kernel [classes][inputs], scale, bias [classes]
struct LayerWeights {
  std::span<const float> kernel;
  std::span<const std::uint64_t> bits;
  std::span<const float> scale;
  std::span<const float> bias;
  std::span<const float> norm_scale;
  std::span<const float> norm_bias;
  std::span<const std::int8_t> int8_kernel;
};

// How many elements each tensor of `layer` must have: more than a std::size_t of 32 bits holds, where a file
// says so.
struct LayerSizes {
  std::uint64_t kernel = 0, bits = 0, scale = 0, bias = 0, norm_scale = 0, norm_bias = 0, int8_kernel = 0;
  bool operator==(const LayerSizes&) const = default;
};
LayerSizes sizes_of(const graph::Network& network, int layer);

// A named setting of exit thresholds with what it promises, in words.
struct OperatingPoint {
  std::string name;
  std::string rule;               // a name that exits/ knows
  std::vector<float> thresholds;  // one per exit
  std::string promise;
  bool operator==(const OperatingPoint&) const = default;
};

struct Provenance {
  std::string architecture;
  std::string placement;
  std::string data_name;
  std::string data_digest;  // hexadecimal
  std::string recipe;       // JSON, in short
  std::string metrics;      // JSON: accuracy per exit on validation
  std::string tool_version;
  std::string license;
  std::string date;  // ISO 8601, from SOURCE_DATE_EPOCH only; else empty
  std::uint64_t seed = 0;
  bool operator==(const Provenance&) const = default;
};

// Digests (core/checksum.h) of what the self-test audio gives: features, the tensor that each exit reads, the
// logits.
struct SelfTest {
  std::uint64_t features = 0;
  std::vector<std::uint64_t> stages;  // one per exit
  std::uint64_t logits = 0;           // of all exits, shallow to deep
  bool operator==(const SelfTest&) const = default;
};

struct Model {
  graph::Network network;
  std::vector<LayerWeights> weights;  // one per layer of the network
  features::LogMelSpec front_end;     // clip_frames() x mel_bins is the network's input
  std::vector<std::string> labels;    // one per class
  std::vector<float>
      temperatures;  // one per exit: logits are divided by it before softmax; 1 where not calibrated
  std::vector<OperatingPoint> operating_points;
  Provenance provenance;
  std::optional<SelfTest> self_test;
  std::shared_ptr<const void> storage;  // keeps what `weights` points to alive
};

// All that must hold between the parts: sizes against shapes, labels against classes, finite floats, front
// end against input.
Status validate(const Model& model);

}  // namespace bittern::model
