#include "graph/network.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <unordered_set>

#include "graph/counts.h"
#include "graph/prune.h"
#include "graph/shapes.h"

namespace bittern::graph {
namespace {

Error at_layer(std::size_t index, const Layer& layer, const Error& error) {
  return {error.code, "layer " + std::to_string(index) + " (" + layer.name + "): " + error.message};
}

bool is_exit(const Layer& layer) { return std::holds_alternative<Exit>(layer.op); }

// Of exit `index`; other exits of the same layer may stand between.
bool stands_behind_its_input(const std::vector<Layer>& layers, std::size_t index) {
  std::size_t before = index - 1;
  while (is_exit(layers[before])) --before;  // layer 0 is the input
  return layers[index].inputs.front() == static_cast<int>(before);
}

// Fills in layers[index].output from the layers before it.
Status place(std::vector<Layer>& layers, std::size_t index) {
  Layer& layer = layers[index];
  if (layer.inputs.size() > kMaxLayers) return invalid_argument("reads too many layers");
  std::vector<Shape> shapes;
  for (const int input : layer.inputs) {
    if (input < 0 || static_cast<std::size_t>(input) >= index)
      return invalid_argument("reads layer " + std::to_string(input) + ", which does not stand before it");
    const Layer& source = layers[static_cast<std::size_t>(input)];
    if (is_exit(source)) return invalid_argument("reads the exit " + source.name);
    shapes.push_back(source.output);
  }
  BITTERN_ASSIGN_OR_RETURN(layer.output, output_shape(layer.op, shapes));
  return {};
}

}  // namespace

std::string_view kind(const Op& op) {
  // In the order of Op's alternatives.
  static constexpr std::array<std::string_view, std::variant_size_v<Op>> kKinds = {
      "input",    "conv2d", "binary_conv2d", "batch_norm", "relu", "max_pool",
      "avg_pool", "add",    "concat",        "exit",       "prelu"};
  return kKinds[op.index()];
}

std::string_view name(ExitDense dense) {
  static constexpr std::array<std::string_view, kExitDenses.size()> kNames = {"binary", "float", "int8"};
  return kNames[static_cast<std::size_t>(dense)];
}

std::optional<ExitDense> exit_dense_named(std::string_view text) {
  for (const ExitDense dense : kExitDenses) {
    if (text == name(dense)) return dense;
  }
  return std::nullopt;
}

Expected<Network> Network::create(std::string architecture, std::vector<Layer> layers) {
  if (!check_name(architecture)) return invalid_argument("the network's architecture has no proper name");
  if (layers.empty() || layers.size() > kMaxLayers)
    return invalid_argument("a network has 1 to " + std::to_string(kMaxLayers) + " layers, not " +
                            std::to_string(layers.size()));
  if (!std::holds_alternative<Input>(layers.front().op) || !layers.front().inputs.empty())
    return invalid_argument("a network's first layer must be its input");

  std::unordered_set<std::string_view> names;
  std::vector<int> exits;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (Status status = check_name(layers[i].name); !status)
      return Error{status.error().code, "layer " + std::to_string(i) + ": " + status.error().message};
    if (!names.insert(layers[i].name).second)
      return invalid_argument("two layers are named " + layers[i].name);
    const Status status = i == 0 ? check_shape(layers[i].output) : place(layers, i);
    if (!status) return at_layer(i, layers[i], status.error());
    if (!is_exit(layers[i])) continue;
    if (!stands_behind_its_input(layers, i))
      return at_layer(i, layers[i], invalid_argument("does not stand right behind the layer that it reads"));
    exits.push_back(static_cast<int>(i));
    const int classes = layers[static_cast<std::size_t>(exits.front())].output.channels;
    if (layers[i].output.channels != classes)
      return at_layer(i, layers[i],
                      invalid_argument("has " + std::to_string(layers[i].output.channels) +
                                       " classes, the first exit has " + std::to_string(classes)));
  }

  if (!is_exit(layers.back())) return invalid_argument("a network's last layer must be an exit");
  if (exits.size() > kMaxExits)
    return invalid_argument("a network has at most " + std::to_string(kMaxExits) + " exits, not " +
                            std::to_string(exits.size()));
  const std::vector<bool> needed = needed_by(layers, exits);
  for (std::size_t i = 0; i < layers.size(); ++i)
    if (!needed[i]) return at_layer(i, layers[i], invalid_argument("is needed by no exit"));

  Network network;
  network.architecture_ = std::move(architecture);
  network.layers_ = std::move(layers);
  network.exits_ = std::move(exits);
  if (const double needed_work = work(network); needed_work > kMaxWork)
    return invalid_argument("the network takes the work of " +
                            std::to_string(std::llround(needed_work / 1e6)) +
                            " million multiply-accumulates, more than the limit of " +
                            std::to_string(std::llround(kMaxWork / 1e6)) + " million");
  return network;
}

int Network::classes() const { return shape_of(exits_.front()).channels; }

int Network::find(std::string_view name) const {
  const auto found =
      std::find_if(layers_.begin(), layers_.end(), [&](const Layer& layer) { return layer.name == name; });
  return found == layers_.end() ? -1 : static_cast<int>(found - layers_.begin());
}

Expected<Network> Network::with_time(int frames) const {
  std::vector<Layer> layers = layers_;
  layers.front().output.time = frames;
  return create(architecture_, std::move(layers));
}

Expected<Network> Network::cut_at_exit(int exit) const {
  if (exit < 1 || exit > exit_count())
    return invalid_argument("there is no exit " + std::to_string(exit) + ": the network has " +
                            std::to_string(exit_count()));
  const std::array<int, 1> root{exits_[static_cast<std::size_t>(exit) - 1]};
  return create(architecture_, prune(layers_, root));
}

}  // namespace bittern::graph
