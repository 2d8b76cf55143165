#include "graph/counts.h"

#include "core/bits.h"

namespace bittern::graph {
namespace {

constexpr double kMib = 1024.0 * 1024.0;

// The 1-bit and float weights of one layer.
struct Weights {
  std::int64_t binary = 0;
  std::int64_t floating = 0;
  std::int64_t batch_norm_channels = 0;
  std::int64_t int8 = 0;  // of the floating
};

std::int64_t kernel_weights(Extent kernel, int in, int out) {
  return std::int64_t{kernel.time} * kernel.frequency * in * out;
}

struct WeightsOf {
  Shape in;

  Weights operator()(const Conv2d& op) const {
    const std::int64_t kernel = kernel_weights(op.kernel, in.channels / op.groups, op.out_channels);
    return {0, kernel + (op.bias ? op.out_channels : 0), 0, op.int8 ? kernel : 0};
  }
  Weights operator()(const BinaryConv2d& op) const {
    return {kernel_weights(op.kernel, in.channels, op.out_channels), 0, 0};
  }
  Weights operator()(const BatchNorm&) const { return norm(in.channels); }
  Weights operator()(const Prelu&) const { return {0, in.channels, 0}; }
  Weights operator()(const Exit& op) const {
    const int inputs = dense_inputs(op, in);
    Weights weights;
    if (op.norm == ExitNorm::kBeforePool) weights = norm(in.channels);
    if (op.norm == ExitNorm::kAfterPool) weights = norm(inputs);
    const std::int64_t dense = std::int64_t{inputs} * op.classes;
    if (op.dense == ExitDense::kBinary) {
      weights.binary = dense;
      weights.floating += 2 * std::int64_t{op.classes};  // scale and bias
    } else {
      weights.floating += dense + op.classes;
      if (op.dense == ExitDense::kInt8) weights.int8 = dense;
    }
    return weights;
  }
  template <class Other>
  Weights operator()(const Other&) const {
    return {};
  }

  static Weights norm(int channels) { return {0, 2 * std::int64_t{channels}, channels}; }
};

Weights weights_of(const Network& network, int layer) {
  if (layer == 0) return {};
  return std::visit(WeightsOf{network.input_of(layer)}, network.layer(layer).op);
}

}  // namespace

Macs& Macs::operator+=(const Macs& other) {
  binary += other.binary;
  floating += other.floating;
  int8 += other.int8;
  return *this;
}

// At most kMaxKernel^2 x kMaxChannels x kMaxElements = 1.1e15 a layer: kMaxLayers of them fit 63 bits.
Macs macs_of(const Network& network, int layer) {
  const Layer& found = network.layer(layer);
  const std::int64_t pixels = found.output.pixels();
  if (const auto* conv = std::get_if<Conv2d>(&found.op)) {
    const int in = network.input_of(layer).channels / conv->groups;
    const std::int64_t macs = kernel_weights(conv->kernel, in, conv->out_channels) * pixels;
    return {0, macs, conv->int8 ? macs : 0};
  }
  if (const auto* conv = std::get_if<BinaryConv2d>(&found.op))
    return {kernel_weights(conv->kernel, network.input_of(layer).channels, conv->out_channels) * pixels, 0,
            0};
  return {};
}

double work(const Network& network) {
  const auto taps = [](Extent kernel) { return double{1} * kernel.time * kernel.frequency; };
  double sum = 0;
  for (int i = 1; i < static_cast<int>(network.layers().size()); ++i) {
    const Op& op = network.layer(i).op;
    double values = static_cast<double>(network.shape_of(i).elements());
    if (const auto* pool = std::get_if<MaxPool>(&op)) values *= 1 + taps(pool->kernel);
    if (const auto* pool = std::get_if<AvgPool>(&op)) values *= 1 + taps(pool->kernel);
    if (const auto* exit = std::get_if<Exit>(&op)) {
      const Shape& input = network.input_of(i);
      values = static_cast<double>(input.elements()) + double{1} * dense_inputs(*exit, input) * exit->classes;
    }
    // The kernels take whole words of inputs and whole blocks of outputs, however few of them are channels.
    if (const auto* conv = std::get_if<BinaryConv2d>(&op))
      values += taps(conv->kernel) * words_for(network.input_of(i).channels) *
                blocks_for(conv->out_channels) * kBlockLanes *
                static_cast<double>(network.shape_of(i).pixels());
    sum += values + static_cast<double>(macs_of(network, i).floating);
  }
  return sum;
}

double Counts::packed_mib() const {
  return (static_cast<double>(binary_parameters) / 8.0 + static_cast<double>(float_parameters) * 4.0 -
          static_cast<double>(int8_parameters) * 3.0) /
         kMib;
}

double Counts::float32_mib() const { return static_cast<double>(parameters()) * 4.0 / kMib; }

Counts count(const Network& network) {
  Counts counts;
  Macs cumulative;
  for (int i = 0; i < static_cast<int>(network.layers().size()); ++i) {
    const Weights weights = weights_of(network, i);
    counts.binary_parameters += weights.binary;
    counts.float_parameters += weights.floating;
    counts.int8_parameters += weights.int8;
    counts.batch_norm_channels += weights.batch_norm_channels;
    cumulative += macs_of(network, i);
    const auto* exit = std::get_if<Exit>(&network.layer(i).op);
    if (exit == nullptr) continue;
    ExitCounts found;
    found.exit = static_cast<int>(counts.exits.size()) + 1;
    found.layer = network.layer(network.layer(i).inputs.front()).name;
    found.cumulative = cumulative;
    found.macs_exit = std::int64_t{dense_inputs(*exit, network.input_of(i))} * exit->classes;
    counts.exits.push_back(std::move(found));
  }
  const double whole = cumulative.cost();
  for (ExitCounts& exit : counts.exits) exit.share = whole > 0.0 ? exit.cumulative.cost() / whole : 1.0;
  return counts;
}

}  // namespace bittern::graph
