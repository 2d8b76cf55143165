#include <ATen/record_function.h>

#include <array>
#include <limits>
#include <stdexcept>
#include <utility>
#include <variant>
#include <vector>

#include "training/adam.h"
#include "training/modules.h"
#include "training/step_split.h"
#include "training/steps.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct Sign : Function<Sign> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, double clip) {
    context->save_for_backward({x});
    context->saved_data["clip"] = clip;
    return at::where(x < 0, -1.0F, 1.0F);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor x = context->get_saved_variables()[0];
    return {gradients[0] * (x.abs() <= context->saved_data["clip"].toDouble()), at::Tensor()};
  }
};

// Tensors are [clips, channels, time, frequency].
struct Plain {
  const LayerTensors& tensors;
  const std::vector<at::Tensor>& inputs;

  template <class Op>
  at::Tensor padded(const Op& op, double value) const {
    if (op.padding == graph::Padding::kValid) return inputs[0];
    const auto sides = [](std::int64_t input, int kernel, int stride) {
      const graph::Window window =
          graph::window(static_cast<int>(input), kernel, stride, graph::Padding::kSame);
      const std::int64_t all = std::max<std::int64_t>((window.output - 1) * stride + kernel - input, 0);
      return std::array<std::int64_t, 2>{window.before, all - window.before};
    };
    const auto time = sides(inputs[0].size(2), op.kernel.time, op.stride.time);
    const auto frequency = sides(inputs[0].size(3), op.kernel.frequency, op.stride.frequency);
    if (time[0] + time[1] + frequency[0] + frequency[1] == 0) return inputs[0];
    return at::constant_pad_nd(inputs[0], {frequency[0], frequency[1], time[0], time[1]}, value);
  }
  static at::Tensor norm(const at::Tensor& x, const BatchNormState& state, double epsilon, double momentum) {
    return at::batch_norm(x, state.gamma, state.beta, state.mean, state.variance, true, 1 - momentum, epsilon,
                          false);
  }

  at::Tensor operator()(const graph::Input&) const { return inputs[0]; }
  at::Tensor operator()(const graph::Conv2d& op) const {
    if (op.int8) throw std::invalid_argument("int8 convolutions are not written plainly here");
    return at::conv2d(padded(op, 0), tensors.kernel, tensors.bias, {op.stride.time, op.stride.frequency},
                      at::IntArrayRef{0, 0}, at::IntArrayRef{1, 1}, op.groups);
  }
  at::Tensor operator()(const graph::BinaryConv2d& op) const {
    Plain signs{tensors, {Sign::apply(inputs[0], static_cast<double>(op.input_clip))}};
    return at::conv2d(signs.padded(op, op.pad_value == graph::BinaryPadding::kOne ? 1 : 0), tensors.kernel,
                      {}, {op.stride.time, op.stride.frequency});
  }
  at::Tensor operator()(const graph::BatchNorm& op) const {
    return norm(inputs[0], tensors.norm, static_cast<double>(op.epsilon), static_cast<double>(op.momentum));
  }
  at::Tensor operator()(const graph::Relu&) const { return at::relu(inputs[0]); }
  at::Tensor operator()(const graph::Prelu&) const { return at::prelu(inputs[0], tensors.scale); }
  at::Tensor operator()(const graph::MaxPool& op) const {
    return at::max_pool2d(padded(op, -std::numeric_limits<double>::infinity()),
                          {op.kernel.time, op.kernel.frequency}, {op.stride.time, op.stride.frequency});
  }
  at::Tensor operator()(const graph::AvgPool& op) const {
    return at::avg_pool2d(padded(op, 0), {op.kernel.time, op.kernel.frequency},
                          {op.stride.time, op.stride.frequency});
  }
  at::Tensor operator()(const graph::Add&) const { return inputs[0] + inputs[1]; }
  at::Tensor operator()(const graph::Concat&) const { return at::cat(inputs, 1); }
  at::Tensor operator()(const graph::Exit& op) const {
    at::Tensor x = op.relu ? at::relu(inputs[0]) : inputs[0];
    x = norm(x, tensors.norm, static_cast<double>(op.norm_epsilon), static_cast<double>(op.norm_momentum));
    x = op.pool == graph::ExitPool::kTime ? x.mean(2).permute({0, 2, 1}).flatten(1)
                                          : x.mean(at::IntArrayRef{2, 3});
    return at::mm(x, tensors.kernel) * tensors.scale + tensors.bias;
  }
};

class PlainSteps final : public Steps {
 public:
  PlainSteps(graph::Network network, const Recipe& recipe) : network_(std::move(network)), recipe_(recipe) {
    auto start = TrainableNetwork::create(network_, BinaryOptimizer::kBop, recipe.seed);
    if (!start.ok()) throw std::runtime_error(start.error().message);
    for (std::size_t i = 0; i < network_.layers().size(); ++i) {
      const graph::Layer& layer = network_.layers()[i];
      LayerTensors tensors = start->tensors(static_cast<int>(i));
      const auto* binary = std::get_if<graph::BinaryConv2d>(&layer.op);
      const auto* exit = std::get_if<graph::Exit>(&layer.op);
      const auto* conv = std::get_if<graph::Conv2d>(&layer.op);
      if (exit != nullptr &&
          (exit->norm != graph::ExitNorm::kBeforePool || exit->dense != graph::ExitDense::kBinary))
        throw std::runtime_error("the plain network knows Bittern's own exits only");
      if (binary != nullptr) {
        tensors.kernel = tensors.kernel.detach().view(
            {binary->kernel.time, binary->kernel.frequency, -1, binary->out_channels});
      }
      if (binary != nullptr || conv != nullptr)
        tensors.kernel = tensors.kernel.detach().permute({3, 2, 0, 1}).contiguous();
      const bool fixed = conv != nullptr && !conv->trainable;
      if (!fixed && tensors.kernel.defined()) add(tensors.kernel, binary != nullptr || exit != nullptr);
      for (const at::Tensor& tensor : {tensors.bias, tensors.scale, tensors.norm.gamma, tensors.norm.beta})
        if (tensor.defined()) add(tensor, false);
      tensors_.push_back(std::move(tensors));
    }
    const graph::Shape& input = network_.input_shape();
    at::manual_seed(3);
    features_ = at::rand({recipe.batch, 1, input.time, input.frequency}) * 17 - 13;
    labels_ = at::arange(recipe.batch, at::kLong).remainder(network_.classes());
  }

  double step() override {
    at::Tensor loss;
    for (const at::Tensor& logits : forward()) {
      const at::Tensor one = at::cross_entropy_loss(logits, labels_);
      loss = loss.defined() ? loss + one : one;
    }
    const auto value = loss.item<double>();
    {
      RECORD_USER_SCOPE(kBackwardScope);
      loss.backward();
    }
    RECORD_USER_SCOPE(kOptimizerScope);
    const at::NoGradGuard no_grad;
    ++step_;
    for (Slot& slot : slots_) update(slot);
    return value;
  }

 private:
  struct Slot {
    at::Tensor value;
    at::Tensor first;
    at::Tensor second;
    bool bop = false;
  };

  void add(const at::Tensor& value, bool bop) {
    value.set_requires_grad(true);
    const at::Tensor zeros = at::zeros_like(value, at::TensorOptions().requires_grad(false));
    slots_.push_back({value, zeros, bop ? at::Tensor() : zeros.clone(), bop});
  }

  std::vector<at::Tensor> forward() const {
    std::vector<at::Tensor> outputs(network_.layers().size());
    std::vector<at::Tensor> logits;
    outputs[0] = features_;
    for (std::size_t i = 1; i < outputs.size(); ++i) {
      const graph::Layer& layer = network_.layers()[i];
      std::vector<at::Tensor> inputs;
      for (const int input : layer.inputs) inputs.push_back(outputs[static_cast<std::size_t>(input)]);
      RECORD_USER_SCOPE(std::string(graph::kind(layer.op)));
      outputs[i] = std::visit(Plain{tensors_[i], inputs}, layer.op);
      if (std::holds_alternative<graph::Exit>(layer.op)) logits.push_back(outputs[i]);
    }
    return logits;
  }

  void update(Slot& slot) const {
    const at::Tensor gradient = slot.value.grad();
    if (slot.bop) {
      slot.first.add_((gradient - slot.first) * recipe_.bop_gamma);
      slot.value.copy_(at::where(slot.value * slot.first > recipe_.bop_threshold, -slot.value, slot.value));
    } else {
      const AdamSettings adam;
      const auto n = static_cast<double>(step_);
      slot.first.mul_(adam.beta1).add_(gradient, 1 - adam.beta1);
      slot.second.mul_(adam.beta2).addcmul_(gradient, gradient, 1 - adam.beta2);
      const at::Tensor root =
          (slot.second.sqrt() / std::sqrt(1 - std::pow(adam.beta2, n))).add_(adam.epsilon);
      slot.value.addcdiv_(slot.first, root, -recipe_.learning_rate / (1 - std::pow(adam.beta1, n)));
    }
    slot.value.mutable_grad() = at::Tensor();
  }

  graph::Network network_;
  Recipe recipe_;
  std::vector<LayerTensors> tensors_;
  std::vector<Slot> slots_;
  at::Tensor features_;
  at::Tensor labels_;
  std::int64_t step_ = 0;
};

}  // namespace

std::unique_ptr<Steps> plain_steps(const graph::Network& network, const Recipe& recipe) {
  return std::make_unique<PlainSteps>(network, recipe);
}

}  // namespace bittern::training
