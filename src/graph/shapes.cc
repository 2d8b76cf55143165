#include "graph/shapes.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "core/int8_kernel.h"

namespace bittern::graph {
namespace {

// Enumerators may come from a file as any number.
template <class T>
bool known(T value, T last) {
  return static_cast<std::uint8_t>(value) <= static_cast<std::uint8_t>(last);
}

Status check_range(std::string_view what, int value, int low, int high) {
  if (value >= low && value <= high) return {};
  return invalid_argument(std::string(what) + " is " + std::to_string(value) + ", must be " +
                          std::to_string(low) + " to " + std::to_string(high));
}

Status check_norm(float epsilon, float momentum) {
  if (!std::isfinite(epsilon) || epsilon <= 0.0F)
    return invalid_argument("batch norm's epsilon must be a number above 0");
  if (!std::isfinite(momentum) || momentum < 0.0F || momentum > 1.0F)
    return invalid_argument("batch norm's momentum must be 0 to 1");
  return {};
}

Status check_clip(std::string_view what, float clip) {
  if (std::isfinite(clip) && clip > 0.0F) return {};
  return invalid_argument(std::string(what) + " must be a number above 0");
}

Status unknown_value(std::string_view what) {
  return invalid_argument(std::string(what) + " has an unknown value");
}

// A window sliding over `input`: time and frequency of the output; channels as given.
Expected<Shape> slide(const Shape& input, Extent kernel, Extent stride, Padding padding, int channels) {
  if (!known(padding, Padding::kSame)) return unknown_value("padding").error();
  BITTERN_RETURN_IF_ERROR(check_range("kernel's size in time", kernel.time, 1, kMaxKernel));
  BITTERN_RETURN_IF_ERROR(check_range("kernel's size in frequency", kernel.frequency, 1, kMaxKernel));
  BITTERN_RETURN_IF_ERROR(check_range("stride in time", stride.time, 1, kMaxKernel));
  BITTERN_RETURN_IF_ERROR(check_range("stride in frequency", stride.frequency, 1, kMaxKernel));
  if (padding == Padding::kValid && (input.time < kernel.time || input.frequency < kernel.frequency)) {
    return invalid_argument("input " + to_string(input) + " is smaller than the kernel " +
                            std::to_string(kernel.time) + "x" + std::to_string(kernel.frequency));
  }
  return Shape{window(input.time, kernel.time, stride.time, padding).output,
               window(input.frequency, kernel.frequency, stride.frequency, padding).output, channels};
}

// What the kernel keeps on its stack, and that its sums are exact (core/int8_kernel.h).
Status check_int8(const Conv2d& op, const Shape& in, const Shape& out) {
  if (op.groups != 1 || op.bias || !op.trainable)
    return invalid_argument("an int8 convolution has no groups, no bias and trainable weights");
  if (op.out_channels % kInt8Lanes != 0 || op.out_channels > kMaxInt8Outputs)
    return invalid_argument("an int8 convolution has " + std::to_string(op.out_channels) +
                            " output channels, must be a multiple of " + std::to_string(kInt8Lanes) +
                            " up to " + std::to_string(kMaxInt8Outputs));
  const std::int64_t terms = std::int64_t{op.kernel.time} * op.kernel.frequency * in.channels;
  if (terms > kMaxInt8Terms)
    return invalid_argument("an int8 convolution adds up " + std::to_string(terms) + " products, more than " +
                            std::to_string(kMaxInt8Terms));
  const std::int64_t columns = (std::int64_t{out.frequency} - 1) * op.stride.frequency + op.kernel.frequency;
  if (int8_window_bytes(op.kernel.time, columns, in.channels) > kMaxInt8Window)
    return invalid_argument("an int8 convolution's window of rows is larger than " +
                            std::to_string(kMaxInt8Window) + " values");
  if (!std::isfinite(op.int8->scale) || op.int8->scale < 1e-3F || op.int8->scale > 1e3F)
    return invalid_argument("an int8 convolution's input scale must be 0.001 to 1000");
  return check_range("an int8 convolution's level of zero", op.int8->zero, 0, 255);
}

struct ShapeOf {
  std::span<const Shape> inputs;

  const Shape& in() const { return inputs.front(); }

  Expected<Shape> operator()(const Input&) const {
    return invalid_argument("an input layer can only be the first");
  }

  Expected<Shape> operator()(const Conv2d& op) const {
    if (!known(op.initializer, Initializer::kBlur)) return unknown_value("initializer").error();
    BITTERN_RETURN_IF_ERROR(check_range("number of output channels", op.out_channels, 1, kMaxChannels));
    BITTERN_RETURN_IF_ERROR(check_range("number of groups", op.groups, 1, kMaxChannels));
    if (in().channels % op.groups != 0 || op.out_channels % op.groups != 0) {
      return invalid_argument(std::to_string(op.groups) + " groups do not divide " +
                              std::to_string(in().channels) + " input and " +
                              std::to_string(op.out_channels) + " output channels");
    }
    const bool depthwise = op.groups == in().channels && op.out_channels == in().channels;
    if (op.initializer == Initializer::kBlur && (!depthwise || op.kernel != Extent{3, 3}))
      return invalid_argument("a blur kernel must be 3x3 and depthwise");
    BITTERN_ASSIGN_OR_RETURN(const Shape out, slide(in(), op.kernel, op.stride, op.padding, op.out_channels));
    if (op.int8) BITTERN_RETURN_IF_ERROR(check_int8(op, in(), out));
    return out;
  }

  Expected<Shape> operator()(const BinaryConv2d& op) const {
    if (!known(op.pad_value, BinaryPadding::kOne)) return unknown_value("padding value").error();
    if (!known(op.kernel_quantizer, Quantizer::kMagnitudeAwareSign))
      return unknown_value("kernel quantizer").error();
    // A scale per output channel has no meaning for an input.
    if (!known(op.input_quantizer, Quantizer::kApproxSign)) return unknown_value("input quantizer").error();
    // The blur kernel is all positive: in 1 bit it says nothing.
    if (!known(op.initializer, Initializer::kHeNormal)) return unknown_value("initializer").error();
    BITTERN_RETURN_IF_ERROR(check_clip("the input quantizer's clip", op.input_clip));
    BITTERN_RETURN_IF_ERROR(check_clip("the kernel quantizer's clip", op.kernel_clip));
    BITTERN_RETURN_IF_ERROR(check_range("number of output channels", op.out_channels, 1, kMaxChannels));
    return slide(in(), op.kernel, op.stride, op.padding, op.out_channels);
  }

  Expected<Shape> operator()(const BatchNorm& op) const {
    BITTERN_RETURN_IF_ERROR(check_norm(op.epsilon, op.momentum));
    return in();
  }

  Expected<Shape> operator()(const Relu&) const { return in(); }

  Expected<Shape> operator()(const Prelu&) const { return in(); }

  Expected<Shape> operator()(const MaxPool& op) const {
    return slide(in(), op.kernel, op.stride, op.padding, in().channels);
  }

  Expected<Shape> operator()(const AvgPool& op) const {
    return slide(in(), op.kernel, op.stride, op.padding, in().channels);
  }

  Expected<Shape> operator()(const Add&) const {
    const Shape& first = inputs[0];
    const Shape& second = inputs[1];
    if (first.time != second.time || first.frequency != second.frequency || second.channels > first.channels)
      return invalid_argument(to_string(second) + " cannot be added to " + to_string(first));
    return first;
  }

  Expected<Shape> operator()(const Concat&) const {
    Shape result = in();
    for (const Shape& next : inputs.subspan(1)) {
      if (next.time != result.time || next.frequency != result.frequency)
        return invalid_argument(to_string(next) + " cannot be joined to " + to_string(result));
      result.channels += next.channels;  // at most kMaxLayers * kMaxChannels
    }
    return result;
  }

  Expected<Shape> operator()(const Exit& op) const {
    if (!known(op.norm, ExitNorm::kAfterPool)) return unknown_value("exit's norm").error();
    if (!known(op.pool, ExitPool::kTime)) return unknown_value("exit's pool").error();
    if (!known(op.dense, ExitDense::kInt8)) return unknown_value("exit's dense").error();
    if (!known(op.initializer, Initializer::kHeNormal)) return unknown_value("initializer").error();
    BITTERN_RETURN_IF_ERROR(check_norm(op.norm_epsilon, op.norm_momentum));
    BITTERN_RETURN_IF_ERROR(check_range("number of classes", op.classes, 2, kMaxClasses));
    return Shape{1, 1, op.classes};
  }
};

Status check_arity(const Op& op, std::size_t inputs) {
  const auto refuse = [&](const char* wanted) {
    return invalid_argument("reads " + std::to_string(inputs) + " layers, must read " + wanted);
  };
  if (std::holds_alternative<Add>(op)) {
    if (inputs != 2) return refuse("2");
  } else if (std::holds_alternative<Concat>(op)) {
    if (inputs < 2 || inputs > kMaxLayers) return refuse("2 or more");
  } else if (inputs != 1) {
    return refuse("1");
  }
  return {};
}

}  // namespace

std::string to_string(const Shape& shape) {
  return std::to_string(shape.time) + "x" + std::to_string(shape.frequency) + "x" +
         std::to_string(shape.channels);
}

Status check_shape(const Shape& shape) {
  BITTERN_RETURN_IF_ERROR(check_range("size in time", shape.time, 1, kMaxTime));
  BITTERN_RETURN_IF_ERROR(check_range("size in frequency", shape.frequency, 1, kMaxFrequency));
  BITTERN_RETURN_IF_ERROR(check_range("number of channels", shape.channels, 1, kMaxChannels));
  if (shape.elements() > kMaxElements)
    return invalid_argument("tensor " + to_string(shape) + " has more than " + std::to_string(kMaxElements) +
                            " elements");
  return {};
}

Expected<Shape> output_shape(const Op& op, std::span<const Shape> inputs) {
  BITTERN_RETURN_IF_ERROR(check_arity(op, inputs.size()));
  BITTERN_ASSIGN_OR_RETURN(const Shape shape, std::visit(ShapeOf{inputs}, op));
  BITTERN_RETURN_IF_ERROR(check_shape(shape));
  return shape;
}

Status check_name(std::string_view name) {
  if (name.empty()) return invalid_argument("a layer has no name");
  const bool visible =
      std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F && c != ','; });
  if (name.size() > kMaxNameLength || !visible)
    return invalid_argument("a layer's name is longer than " + std::to_string(kMaxNameLength) +
                            " characters or has a comma, space or invisible character in it");
  return {};
}

Window window(int input, int kernel, int stride, Padding padding) {
  if (padding == Padding::kValid) return {(input - kernel) / stride + 1, 0};
  const int output = (input + stride - 1) / stride;
  const int total = std::max((output - 1) * stride + kernel - input, 0);
  return {output, total / 2};
}

int dense_inputs(const Exit& exit, const Shape& input) {
  return exit.pool == ExitPool::kTime ? input.frequency * input.channels : input.channels;
}

}  // namespace bittern::graph
