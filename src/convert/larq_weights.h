// From Keras's tensors to a model's: latent kernels become bits, batch norms a scale and a bias.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "convert/keras_file.h"
#include "core/aligned.h"
#include "core/status.h"
#include "graph/network.h"
#include "model/model.h"

namespace bittern::convert {

// Owns what a model's tensors point to.
class WeightStorage {
 public:
  Expected<std::span<const float>> keep(const std::vector<float>& values);
  Expected<std::span<std::uint64_t>> words(std::size_t count);  // zeroed

 private:
  std::vector<AlignedBuffer<float>> floats_;
  std::vector<AlignedBuffer<std::uint64_t>> words_;
};

// y = x * scale + bias, computed in double and rounded once.
struct FoldedNorm {
  std::vector<float> scale, bias;
};
Expected<FoldedNorm> fold_norm(const KerasLayer& layer, float epsilon, int channels);

// The shape, in words: an error unless `layer` has this weight in it.
Status check_shape(const KerasLayer& layer, const std::string& weight, const std::vector<int>& shape);

// Mean of |kernel| per output, the last axis: what a magnitude-aware sign multiplies with.
std::vector<float> magnitudes(const KerasWeight& kernel);

Expected<model::LayerWeights> convolution_weights(const std::vector<const KerasLayer*>& layers,
                                                  const graph::Conv2d& op, int in_channels, bool depthwise,
                                                  WeightStorage& storage);
Expected<model::LayerWeights> binary_weights(const KerasLayer& layer, const graph::BinaryConv2d& op,
                                             int in_channels, WeightStorage& storage);

// `norm_before` and `norm_after`: nullptr where the exit has none.
struct ExitParts {
  const KerasLayer* dense = nullptr;
  bool magnitude_aware = false;
  const KerasLayer* norm_before = nullptr;
  const KerasLayer* norm_after = nullptr;
  float epsilon_after = 1e-3F;
};
Expected<model::LayerWeights> exit_weights(const ExitParts& parts, const graph::Exit& op, int inputs,
                                           WeightStorage& storage);

}  // namespace bittern::convert
