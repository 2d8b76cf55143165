// One description of a network that every reader shares: a list of typed layers with names and shapes, some
// of them exits.
//
// Tensors are [time, frequency, channels], channels innermost. Layers stand in an order of execution: a layer
// reads only layers before it, and an Exit stands right behind the layer that it reads, so the layers up to
// exit k are all that exit k needs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/status.h"

namespace bittern::graph {

struct Shape {
  int time = 0;
  int frequency = 0;
  int channels = 0;
  std::int64_t pixels() const { return std::int64_t{time} * frequency; }
  std::int64_t elements() const { return pixels() * channels; }
  bool operator==(const Shape&) const = default;
};
std::string to_string(const Shape& shape);  // "98x64x1"

// A kernel's size or a stride, [time, frequency].
struct Extent {
  int time = 1;
  int frequency = 1;
  bool operator==(const Extent&) const = default;
};

// TensorFlow's rules. kSame: out = ceil(in / stride), total = max((out - 1) * stride + kernel - in, 0), total
// / 2 before, the rest after. kValid: out = (in - kernel) / stride + 1.
enum class Padding : std::uint8_t { kValid, kSame };

// What a binary convolution reads outside its input: a real 0 (the tap contributes nothing) or +1.
enum class BinaryPadding : std::uint8_t { kZero, kOne };

// How training starts a kernel, by Keras's formulas: k = pixels of the kernel, fan_in = k x in, fan_out = k x
// out; of one group where there are groups; k x channels and k for a depthwise kernel. kBlur is the fixed
// outer([1 2 1], [1 2 1]) / 16 of a blur pool.
enum class Initializer : std::uint8_t { kGlorotNormal, kGlorotUniform, kHeNormal, kBlur };

// Sign with the gradient that training gives it (Larq's names and formulas). kMagnitudeAwareSign is for
// kernels only and brings a scale per output channel.
enum class Quantizer : std::uint8_t { kSteSign, kApproxSign, kMagnitudeAwareSign };

struct Input {
  bool operator==(const Input&) const = default;
};

// How the input of an int8 convolution becomes one of 256 levels: round(x * scale), of which `zero` lie below
// 0. The defaults hold log-mel from -10 to 5.9 nats, a sixteenth apart; beyond, as in silence, the last level
// stands for all.
struct Int8Input {
  float scale = 16.0F;
  int zero = 160;
  bool operator==(const Int8Input&) const = default;
};

// Float convolution, or, with `int8`, one of integers: levels of the input times int8 weights, a scale for
// each output. groups == input channels makes it depthwise. Kernel HWIO: [time, frequency, in / groups, out].
struct Conv2d {
  Extent kernel{};
  Extent stride{};
  Padding padding = Padding::kSame;
  int out_channels = 0;
  int groups = 1;
  bool bias = false;
  Initializer initializer = Initializer::kGlorotNormal;
  bool trainable = true;
  std::optional<Int8Input> int8{};  // outputs are a multiple of 16; no groups, no bias
  bool operator==(const Conv2d&) const = default;
};

// sign(input) convolved with a 1-bit kernel: integers, times a scale per output channel where the kernel's
// quantizer has one.
struct BinaryConv2d {
  Extent kernel{3, 3};
  Extent stride{};
  Padding padding = Padding::kSame;
  BinaryPadding pad_value = BinaryPadding::kZero;
  int out_channels = 0;
  Quantizer input_quantizer = Quantizer::kSteSign;
  float input_clip = 1.0F;  // SteSign passes gradients where |x| <= input_clip
  Quantizer kernel_quantizer = Quantizer::kSteSign;
  float kernel_clip = 1.0F;  // the same for latent weights, which stay within +-kernel_clip
  Initializer initializer = Initializer::kGlorotNormal;
  bool has_scale() const { return kernel_quantizer == Quantizer::kMagnitudeAwareSign; }
  bool operator==(const BinaryConv2d&) const = default;
};

// y = (x - mean) / sqrt(variance + epsilon) * gamma + beta per channel; moving = momentum * moving + (1 -
// momentum) * batch. Without `scale` gamma is 1, without `center` beta is 0. In a model file it is folded to
// y = x * scale + bias.
struct BatchNorm {
  float epsilon = 1e-3F;
  float momentum = 0.99F;
  bool scale = true;
  bool center = true;
  bool operator==(const BatchNorm&) const = default;
};

struct Relu {
  bool operator==(const Relu&) const = default;
};

// y = x > 0 ? x : x * slope, a learned slope per channel (He et al. 2015; ReActNet's blocks end in one).
struct Prelu {
  bool operator==(const Prelu&) const = default;
};

struct MaxPool {  // padding never wins
  Extent kernel{2, 2};
  Extent stride{2, 2};
  Padding padding = Padding::kSame;
  bool operator==(const MaxPool&) const = default;
};

struct AvgPool {  // divides by the pixels inside the input only
  Extent kernel{2, 2};
  Extent stride{2, 2};
  Padding padding = Padding::kSame;
  bool operator==(const AvgPool&) const = default;
};

// inputs[0] + inputs[1]. Where the second has fewer channels it is added to the first's last ones
// (MeliusNet's improvement).
struct Add {
  bool operator==(const Add&) const = default;
};

struct Concat {  // along channels, in the order of inputs
  bool operator==(const Concat&) const = default;
};

enum class ExitNorm : std::uint8_t {
  kNone,
  kBeforePool,  // batch norm per channel
  kAfterPool,   // batch norm per pooled input
};
enum class ExitPool : std::uint8_t {
  kGlobal,  // mean over time and frequency: `channels` inputs
  kTime,    // mean over time: `frequency * channels` inputs, frequency-major
};
enum class ExitDense : std::uint8_t {
  kBinary,  // logit_j = scale_j * sum_i input_i * sign(kernel_ij) + bias_j; the float input is never
            // binarised
  kFloat,   // logit_j = sum_i input_i * kernel_ij + bias_j
  kInt8,    // logit_j = scale_j * sum_i input_i * kernel_ij + bias_j, kernel_ij in int8
};

std::string_view name(ExitDense dense);  // "binary", "float", "int8"
std::optional<ExitDense> exit_dense_named(std::string_view name);
inline constexpr std::array kExitDenses{ExitDense::kBinary, ExitDense::kInt8, ExitDense::kFloat};

// [relu] -> [norm] -> pool -> [norm] -> dense -> logits [classes]. Output shape {1, 1, classes}.
struct Exit {
  bool relu = false;
  ExitNorm norm = ExitNorm::kBeforePool;
  float norm_epsilon = 1e-3F;
  float norm_momentum = 0.99F;
  ExitPool pool = ExitPool::kTime;
  ExitDense dense = ExitDense::kBinary;
  int classes = 0;
  Initializer initializer = Initializer::kGlorotUniform;
  bool operator==(const Exit&) const = default;
};

using Op =
    std::variant<Input, Conv2d, BinaryConv2d, BatchNorm, Relu, MaxPool, AvgPool, Add, Concat, Exit, Prelu>;

std::string_view kind(const Op& op);  // "input", "conv2d", "binary_conv2d", ...

struct Layer {
  std::string name;  // unique, such as "s1.b4"
  Op op;
  std::vector<int> inputs;  // indices of earlier layers
  Shape output;
  bool operator==(const Layer&) const = default;
};

// Limits on any network, whether built here or read from a file.
inline constexpr int kMaxLayers = 1024;
inline constexpr int kMaxChannels = 4096;
inline constexpr int kMaxClasses = 4096;
inline constexpr int kMaxExits = 16;
inline constexpr int kMaxKernel = 31;
inline constexpr int kMaxTime = 1 << 16;                             // frames
inline constexpr int kMaxFrequency = 1024;                           // bins
inline constexpr std::int64_t kMaxElements = std::int64_t{1} << 28;  // of any one tensor
inline constexpr double kMaxWork = 1e11;  // work() of counts.h: some ten seconds of a processor core

// A checked network. layers()[0] is the Input; the last layer is the last exit.
class Network {
 public:
  // Computes every output shape from `layers` (whose `output` is ignored, the Input's excepted) and checks
  // names, order, shapes and limits. Every Exit must have the same number of classes and stand right behind
  // what it reads (several may read one layer); layers that no exit needs are an error.
  static Expected<Network> create(std::string architecture, std::vector<Layer> layers);

  const std::string& architecture() const { return architecture_; }
  const std::vector<Layer>& layers() const { return layers_; }
  const Layer& layer(int index) const { return layers_[static_cast<std::size_t>(index)]; }
  const std::vector<int>& exits() const { return exits_; }  // indices of Exit layers, shallow to deep
  int exit_count() const { return static_cast<int>(exits_.size()); }
  int classes() const;
  const Shape& input_shape() const { return layers_.front().output; }
  const Shape& shape_of(int index) const { return layer(index).output; }
  // What the layer `index` reads as its first input.
  const Shape& input_of(int index) const { return shape_of(layer(index).inputs.front()); }
  int find(std::string_view name) const;  // -1 where there is none

  // The same network for another number of frames.
  Expected<Network> with_time(int frames) const;
  // The network up to exit `exit` (from 1), that exit its only one: the paper's E_s.
  Expected<Network> cut_at_exit(int exit) const;

 private:
  std::string architecture_;
  std::vector<Layer> layers_;
  std::vector<int> exits_;
};

// Output size and padding before, along one axis.
struct Window {
  int output = 0;
  int before = 0;
};
Window window(int input, int kernel, int stride, Padding padding);

// Number of inputs of an exit's dense layer.
int dense_inputs(const Exit& exit, const Shape& input);

}  // namespace bittern::graph
