// A network that learns: torch tensors for every layer of a graph::Network, and its forward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/status.h"
#include "graph/network.h"
#include "training/batch_norm.h"
#include "training/precision.h"
#include "training/recipe.h"

namespace bittern::training {

// The tensors of one layer; those a layer does not have are undefined.
//   Conv2d        kernel [time, frequency, in / groups, out], bias [out]
//   BinaryConv2d  kernel [taps, in, out]: +-1 under Bop, latent under Adam
//   BatchNorm     norm
//   Prelu         scale [channels]: the slopes
//   Exit          norm; kernel [inputs, classes], bias [classes], scale [classes] (binary dense)
struct LayerTensors {
  at::Tensor kernel;
  at::Tensor bias;
  at::Tensor scale;
  BatchNormState norm;
};

// A tensor by its name in checkpoints: "<layer>.<role>".
struct NamedTensor {
  std::string name;
  at::Tensor value;
};

// What an optimiser trains.
struct Parameter {
  std::string name;
  at::Tensor value;
  bool binary = false;      // a 1-bit kernel
  float clip = 0;           // of its latent weights
  bool real_first = false;  // trained with its real values until TrainableNetwork::binarise()
};

class TrainableNetwork {
 public:
  // Starting weights are a function of (network, seed). With Bop 1-bit kernels start as signs of their
  // initial values. kInvalidArgument where a layer cannot be trained.
  //
  // real_first: binary convolutions keep real kernels, which they convolve with as they are, until
  // binarise().
  static Expected<TrainableNetwork> create(graph::Network network, BinaryOptimizer optimizer,
                                           std::uint64_t seed, bool real_first = false);

  // From now on kernels of binary convolutions are 1-bit: with Bop their signs replace them, else they are
  // latent weights. Changes nothing the second time.
  void binarise();

  // Of the matrix products while training; fp32 at first, never kAuto.
  void set_precision(Precision precision) { precision_ = precision; }

  // Moves all tensors; the optimiser's are made where the parameters are.
  void to(at::Device device);

  const graph::Network& network() const { return network_; }
  const LayerTensors& tensors(int layer) const { return tensors_[static_cast<std::size_t>(layer)]; }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  // Parameters and moving averages: all that a checkpoint must hold of the network.
  const std::vector<NamedTensor>& state() const { return state_; }
  // The moving averages alone.
  const std::vector<at::Tensor>& moving_averages() const { return moving_averages_; }

  // features: [clips, frames, bins], on the CPU. Logits of each exit, shallow to deep: [clips, classes], on
  // the network's device.
  //
  // Batch statistics, with gradients. Updates the moving averages, at step `step` (from 0) with a momentum of
  // at most step / (step + 1): they start as plain means over the steps so far instead of at 0 and 1, which a
  // short training would still see at its end (0.99^30 = 0.74). From step 1 / (1 - momentum) on this is
  // Keras.
  std::vector<at::Tensor> train(const at::Tensor& features, std::int64_t step) const;
  // Moving averages, no gradients.
  std::vector<at::Tensor> evaluate(const at::Tensor& features) const;

  // On the CPU: the sign of a 1-bit kernel and, where its quantizer has one, the scale per output channel.
  struct BinaryKernel {
    at::Tensor signs;
    at::Tensor scale;
  };
  BinaryKernel binary_kernel(int layer) const;

  // On the CPU: the whole numbers of the kernel of an int8 convolution or exit, int8, and a scale per output.
  struct Int8Kernel {
    at::Tensor values;
    at::Tensor scale;
  };
  Int8Kernel int8_kernel(int layer) const;

 private:
  struct Mode {
    bool training = false;
    float most_momentum = 1;
  };
  explicit TrainableNetwork(graph::Network network);
  std::vector<at::Tensor> forward(const at::Tensor& features, Mode mode) const;

  graph::Network network_;
  at::Device device_ = at::kCPU;
  bool latent_ = false;  // 1-bit kernels are real weights, quantized in the forward pass
  bool real_ = false;    // those of binary convolutions are not quantized yet
  Precision precision_ = Precision::kFp32;
  std::vector<LayerTensors> tensors_;
  std::vector<Parameter> parameters_;
  std::vector<NamedTensor> state_;
  std::vector<at::Tensor> moving_averages_;
  std::vector<int> last_reader_;         // per layer: the last layer that reads it
  std::vector<std::uint8_t> relu_only_;  // per layer: a Relu that its one reader, a BatchNorm, takes over
};

}  // namespace bittern::training
