#include "training/modules.h"

#include <ATen/record_function.h>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "training/binary_convolution.h"
#include "training/convolution.h"
#include "training/initializers.h"
#include "training/pooling.h"
#include "training/portable.h"
#include "training/prelu.h"
#include "training/product.h"
#include "training/quantizers.h"
#include "training/streams.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

// An exit's kernel is clipped like SteSign's own default.
constexpr float kExitClip = 1.0F;

constexpr float kInitialSlope = 0.25F;  // of a PReLU (He et al. 2015)

at::Tensor initial(const std::vector<std::int64_t>& shape, graph::Initializer initializer, Fans fans,
                   Random& random) {
  at::Tensor kernel = at::empty(shape, at::kFloat);
  initialize({kernel.data_ptr<float>(), static_cast<std::size_t>(kernel.numel())}, initializer, fans, random);
  return kernel;
}

BatchNormState initial_norm(std::int64_t channels, bool scale, bool center) {
  BatchNormState norm;
  norm.mean = at::zeros({channels});
  norm.variance = at::ones({channels});
  if (scale) norm.gamma = at::ones({channels});
  if (center) norm.beta = at::zeros({channels});
  return norm;
}

// Makes the starting tensors of a layer.
struct Initial {
  const graph::Shape& input;
  bool latent;  // 1-bit kernels keep real weights
  bool real;    // those of convolutions do, latent or not
  Random random;

  static at::Tensor binary(const at::Tensor& kernel, bool keep) {
    return keep ? kernel : ste_sign(kernel, kExitClip).detach();
  }

  LayerTensors operator()(const graph::Conv2d& op) {
    LayerTensors tensors;
    tensors.kernel =
        initial({op.kernel.time, op.kernel.frequency, input.channels / op.groups, op.out_channels},
                op.initializer, fans_of(op, input.channels), random);
    if (op.bias) tensors.bias = at::zeros({op.out_channels});
    return tensors;
  }
  LayerTensors operator()(const graph::BinaryConv2d& op) {
    LayerTensors tensors;
    tensors.kernel =
        binary(initial({std::int64_t{op.kernel.time} * op.kernel.frequency, input.channels, op.out_channels},
                       op.initializer, fans_of(op, input.channels), random),
               latent || real);
    return tensors;
  }
  LayerTensors operator()(const graph::BatchNorm& op) const {
    LayerTensors tensors;
    tensors.norm = initial_norm(input.channels, op.scale, op.center);
    return tensors;
  }
  LayerTensors operator()(const graph::Prelu&) const {
    LayerTensors tensors;
    tensors.scale = at::full({input.channels}, kInitialSlope);
    return tensors;
  }
  LayerTensors operator()(const graph::Exit& op) {
    LayerTensors tensors;
    const int inputs = graph::dense_inputs(op, input);
    if (op.norm == graph::ExitNorm::kBeforePool) tensors.norm = initial_norm(input.channels, true, true);
    if (op.norm == graph::ExitNorm::kAfterPool) tensors.norm = initial_norm(inputs, true, true);
    const Fans fans{static_cast<double>(inputs), static_cast<double>(op.classes)};
    tensors.kernel = initial({inputs, op.classes}, op.initializer, fans, random);
    tensors.bias = at::zeros({op.classes});
    if (op.dense == graph::ExitDense::kBinary) {
      tensors.kernel = binary(tensors.kernel, latent);
      tensors.scale = at::full({op.classes}, 1.0 / std::sqrt(static_cast<double>(inputs)));
    }
    return tensors;
  }
  template <class Op>
  LayerTensors operator()(const Op&) const {
    return {};
  }
};

// Runs one layer on tensors [time, frequency, clips, channels]; an Exit gives [clips, classes].
struct Run {
  const LayerTensors& tensors;
  const std::vector<at::Tensor>& inputs;
  bool training;
  float most_momentum;
  bool latent;      // 1-bit kernels are real weights, still to be quantized
  bool real;        // kernels of convolutions are real and stay so
  bool relu_first;  // a BatchNorm that also does the Relu before it
  Precision precision;

  at::Tensor norm(const at::Tensor& x, float epsilon, float momentum, bool relu) const {
    const BatchNormSettings settings{epsilon, std::min(momentum, most_momentum), relu};
    return training ? batch_norm(x, tensors.norm, settings) : folded_batch_norm(x, tensors.norm, settings);
  }

  at::Tensor operator()(const graph::Input&) const { return inputs[0]; }
  at::Tensor operator()(const graph::Conv2d& op) const {
    if (!op.int8) return convolution(inputs[0], tensors.kernel, tensors.bias, op);
    // On the CPU sums of whole numbers, exact as in the runtime, whatever their order.
    const at::Tensor steps = int8_steps(tensors.kernel);
    const at::Tensor sums =
        convolution(int8_levels(inputs[0], *op.int8), int8_kernel(tensors.kernel, steps), tensors.bias, op);
    return sums * (steps / op.int8->scale);
  }
  at::Tensor operator()(const graph::BinaryConv2d& op) const {
    if (real) return portable::binary_convolution(inputs[0], tensors.kernel, op);  // takes any kernel
    // Bop's kernels are +-1 already: their quantizer and its gradient change nothing, and magnitudes are 1.
    if (!latent) return binary_convolution(inputs[0], tensors.kernel, op, precision);
    const at::Tensor kernel = op.kernel_quantizer == graph::Quantizer::kApproxSign
                                  ? approx_sign(tensors.kernel)
                                  : ste_sign(tensors.kernel, op.kernel_clip);
    const at::Tensor y = binary_convolution(inputs[0], kernel, op, precision);
    return op.has_scale() ? y * magnitude(tensors.kernel) : y;
  }
  at::Tensor operator()(const graph::BatchNorm& op) const {
    return norm(inputs[0], op.epsilon, op.momentum, relu_first);
  }
  at::Tensor operator()(const graph::Relu&) const { return at::relu(inputs[0]); }
  at::Tensor operator()(const graph::Prelu&) const { return training::prelu(inputs[0], tensors.scale); }
  at::Tensor operator()(const graph::MaxPool& op) const { return max_pool(inputs[0], op); }
  at::Tensor operator()(const graph::AvgPool& op) const { return average_pool(inputs[0], op); }
  at::Tensor operator()(const graph::Add&) const {
    const std::int64_t missing = inputs[0].size(3) - inputs[1].size(3);
    return missing == 0 ? inputs[0] + inputs[1] : inputs[0] + at::constant_pad_nd(inputs[1], {missing, 0});
  }
  at::Tensor operator()(const graph::Concat&) const { return at::cat(inputs, 3); }
  at::Tensor operator()(const graph::Exit& op) const {
    at::Tensor x = pooled(op);
    if (op.norm == graph::ExitNorm::kAfterPool) x = norm(x, op.norm_epsilon, op.norm_momentum, false);
    if (op.dense == graph::ExitDense::kFloat) return product(x, tensors.kernel) + tensors.bias;
    if (op.dense == graph::ExitDense::kInt8) {
      const at::Tensor steps = int8_steps(tensors.kernel);
      return product(x, training::int8_kernel(tensors.kernel, steps)) * steps + tensors.bias;
    }
    return product(x, latent ? ste_sign(tensors.kernel, kExitClip) : tensors.kernel) * tensors.scale +
           tensors.bias;
  }

 private:
  // What an exit's norm after the pool, or else its dense layer, reads: [clips, inputs].
  at::Tensor pooled(const graph::Exit& op) const {
    at::Tensor x = inputs[0];
    if (training && op.norm == graph::ExitNorm::kBeforePool && op.pool == graph::ExitPool::kTime) {
      return time_pooled_batch_norm(x, tensors.norm,
                                    {op.norm_epsilon, std::min(op.norm_momentum, most_momentum), op.relu});
    }
    if (op.relu) x = at::relu(x);
    if (op.norm == graph::ExitNorm::kBeforePool) x = norm(x, op.norm_epsilon, op.norm_momentum, false);
    return op.pool == graph::ExitPool::kTime
               ? x.mean(0).permute({1, 0, 2}).reshape({x.size(2), x.size(1) * x.size(3)})
               : x.mean(at::IntArrayRef{0, 1});
  }
};

}  // namespace

TrainableNetwork::TrainableNetwork(graph::Network network)
    : network_(std::move(network)),
      last_reader_(network_.layers().size(), -1),
      relu_only_(network_.layers().size(), 0) {
  std::vector<int> readers(network_.layers().size(), 0);
  for (std::size_t i = 0; i < network_.layers().size(); ++i) {
    for (const int input : network_.layers()[i].inputs) {
      last_reader_[static_cast<std::size_t>(input)] = static_cast<int>(i);
      ++readers[static_cast<std::size_t>(input)];
    }
  }
  for (std::size_t i = 0; i < network_.layers().size(); ++i) {
    if (!std::holds_alternative<graph::Relu>(network_.layers()[i].op) || readers[i] != 1) continue;
    const auto reader = static_cast<std::size_t>(last_reader_[i]);
    if (std::holds_alternative<graph::BatchNorm>(network_.layers()[reader].op)) relu_only_[i] = 1;
  }
}

Expected<TrainableNetwork> TrainableNetwork::create(graph::Network network, BinaryOptimizer optimizer,
                                                    std::uint64_t seed, bool real_first) {
  TrainableNetwork result(std::move(network));
  result.real_ = real_first;
  result.latent_ = optimizer == BinaryOptimizer::kAdam;
  for (std::size_t i = 0; i < result.network_.layers().size(); ++i) {
    const graph::Layer& layer = result.network_.layers()[i];
    const graph::Shape& input =
        layer.inputs.empty() ? layer.output : result.network_.input_of(static_cast<int>(i));
    Initial initial{input, result.latent_, real_first,
                    Random({seed, kInitialStream, static_cast<std::uint64_t>(i)})};
    LayerTensors tensors = std::visit(initial, layer.op);

    const auto* binary = std::get_if<graph::BinaryConv2d>(&layer.op);
    const auto* exit = std::get_if<graph::Exit>(&layer.op);
    const auto* conv = std::get_if<graph::Conv2d>(&layer.op);
    const bool one_bit = binary != nullptr || (exit != nullptr && exit->dense == graph::ExitDense::kBinary);
    const float clip = binary != nullptr ? binary->kernel_clip : kExitClip;
    const auto add = [&](const char* role, at::Tensor& tensor, bool trained, bool is_kernel) {
      if (!tensor.defined()) return;
      const std::string name = fmt::format("{}.{}", layer.name, role);
      if (trained) {
        tensor.set_requires_grad(true);
        result.parameters_.push_back(
            {name, tensor, is_kernel && one_bit, clip, real_first && is_kernel && binary != nullptr});
      }
      result.state_.push_back({name, tensor});
    };
    add("kernel", tensors.kernel, conv == nullptr || conv->trainable, true);
    add("bias", tensors.bias, true, false);
    add("scale", tensors.scale, true, false);
    add("gamma", tensors.norm.gamma, true, false);
    add("beta", tensors.norm.beta, true, false);
    add("mean", tensors.norm.mean, false, false);
    add("variance", tensors.norm.variance, false, false);
    if (tensors.norm.mean.defined())
      result.moving_averages_.insert(result.moving_averages_.end(),
                                     {tensors.norm.mean, tensors.norm.variance});
    result.tensors_.push_back(std::move(tensors));
  }
  return result;
}

void TrainableNetwork::binarise() {
  if (!real_) return;
  real_ = false;
  if (latent_) return;
  const at::NoGradGuard no_grad;
  for (Parameter& parameter : parameters_)
    if (parameter.real_first) parameter.value.copy_(training::sign(parameter.value.detach()));
}

void TrainableNetwork::to(at::Device device) {
  if (device == device_) return;
  // In place: parameters, state and layers share these tensors.
  for (NamedTensor& tensor : state_) tensor.value.set_data(tensor.value.detach().to(device));
  device_ = device;
}

std::vector<at::Tensor> TrainableNetwork::train(const at::Tensor& features, std::int64_t step) const {
  return forward(features, {true, static_cast<float>(step) / static_cast<float>(step + 1)});
}

std::vector<at::Tensor> TrainableNetwork::evaluate(const at::Tensor& features) const {
  const at::NoGradGuard no_grad;
  return forward(features, {});
}

std::vector<at::Tensor> TrainableNetwork::forward(const at::Tensor& features, Mode mode) const {
  std::vector<at::Tensor> outputs(network_.layers().size());
  std::vector<at::Tensor> logits;
  outputs[0] = features.to(device_).permute({1, 2, 0}).contiguous().unsqueeze(3);
  for (std::size_t i = 1; i < network_.layers().size(); ++i) {
    const graph::Layer& layer = network_.layers()[i];
    std::vector<at::Tensor> inputs;
    bool relu_first = false;
    for (const int input : layer.inputs) {
      const auto index = static_cast<std::size_t>(input);
      relu_first = relu_first || relu_only_[index] != 0;
      inputs.push_back(outputs[index]);
    }
    // Only now: a layer may read one tensor twice.
    for (const int input : layer.inputs) {
      const auto index = static_cast<std::size_t>(input);
      if (last_reader_[index] == static_cast<int>(i)) outputs[index] = at::Tensor();
    }
    if (relu_only_[i] != 0) {
      outputs[i] = inputs[0];
      continue;
    }
    RECORD_USER_SCOPE(std::string(graph::kind(layer.op)));
    at::Tensor output = std::visit(
        Run{tensors_[i], inputs, mode.training, mode.most_momentum, latent_, real_, relu_first, precision_},
        layer.op);
    if (std::holds_alternative<graph::Exit>(layer.op)) {
      logits.push_back(std::move(output));
    } else {
      outputs[i] = std::move(output);
    }
  }
  return logits;
}

TrainableNetwork::BinaryKernel TrainableNetwork::binary_kernel(int layer) const {
  const at::NoGradGuard no_grad;
  const at::Tensor kernel = tensors(layer).kernel.cpu();
  const auto* binary = std::get_if<graph::BinaryConv2d>(&network_.layer(layer).op);
  BinaryKernel result;
  result.signs = ste_sign(kernel, kExitClip);
  if (binary != nullptr && binary->has_scale()) result.scale = magnitude(kernel);
  return result;
}

TrainableNetwork::Int8Kernel TrainableNetwork::int8_kernel(int layer) const {
  const at::NoGradGuard no_grad;
  const at::Tensor kernel = tensors(layer).kernel.cpu();
  const at::Tensor steps = int8_steps(kernel);
  const auto* conv = std::get_if<graph::Conv2d>(&network_.layer(layer).op);
  return {training::int8_kernel(kernel, steps).to(at::kChar),
          conv != nullptr ? steps / conv->int8->scale : steps};
}

}  // namespace bittern::training
