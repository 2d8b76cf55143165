#include "convert/larq_layers.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "convert/larq_exits.h"

namespace bittern::convert {
namespace {

using Layers = std::vector<const KerasLayer*>;

bool is_convolution(const KerasLayer& layer) {
  const KerasWeight* kernel = layer.find("kernel");
  return kernel != nullptr && kernel->shape.size() == 4;
}
bool is_depthwise_layer(const KerasLayer& layer) { return layer.find("depthwise_kernel") != nullptr; }

// Layers of one kind, taken one after the other.
class Queue {
 public:
  void add(const KerasLayer* layer) { layers_.push_back(layer); }
  void sort() { sort_by_number(layers_); }
  bool empty() const { return layers_.empty(); }
  const KerasLayer* take() { return next_ < layers_.size() ? layers_[next_++] : nullptr; }
  std::size_t left() const { return layers_.size() - next_; }
  const KerasLayer* first_left() const { return layers_[next_]; }

 private:
  Layers layers_;
  std::size_t next_ = 0;
};

struct Queues {
  Queue norms, quantized, plain, depthwise;

  Queues(const KerasFile& file, const std::set<std::string>& exits) {
    for (const KerasLayer& layer : file.layers) {
      if (exits.contains(layer.name)) continue;
      if (is_norm(layer)) norms.add(&layer);
      if (is_depthwise_layer(layer)) depthwise.add(&layer);
      if (is_convolution(layer)) (layer.name.starts_with("quant_") ? quantized : plain).add(&layer);
    }
    for (Queue* queue : {&norms, &quantized, &plain, &depthwise}) queue->sort();
  }

  Queue* queue_for(const graph::Network& network, int layer) {
    const graph::Op& op = network.layer(layer).op;
    if (std::holds_alternative<graph::BatchNorm>(op)) return &norms;
    if (std::holds_alternative<graph::BinaryConv2d>(op)) return &quantized;
    if (!std::holds_alternative<graph::Conv2d>(op)) return nullptr;
    if (is_depthwise(network, layer)) return &depthwise;
    // QuickNet's float convolutions are QuantConv2D without quantizers.
    return plain.empty() ? &quantized : &plain;
  }
};

// Larq Zoo's names of MeliusNet's layers: "s2.b3.dense.bn" is "section_1_block_2_dense_bn".
std::vector<std::string> own_names(const std::string& layer, int groups) {
  const auto number = [](char digit) { return digit - '1'; };
  std::string name;
  if (layer.starts_with("stem.") && layer.size() > 5) {
    const int part = number(layer.back());
    if (layer.starts_with("stem.bn")) return {fmt::format("stem_s{}_bn", part)};
    if (groups == 1) return {fmt::format("stem_s{}_conv", part)};
    std::vector<std::string> names;
    names.reserve(static_cast<std::size_t>(groups));
    for (int i = 0; i < groups; ++i) names.push_back(fmt::format("stem_s{}_groupconv_conv{}", part, i));
    return names;
  }
  if (layer.starts_with("t") && layer.size() > 1)
    return {
        fmt::format("section_{}_transition_{}", number(layer[1]) - 1, layer.ends_with(".bn") ? "bn" : "pw")};
  if (layer == "head.bn") return {"head_bn"};
  if (layer.size() > 6 && layer[0] == 's' && layer[2] == '.')
    return {fmt::format("section_{}_block_{}_{}_{}", number(layer[1]), number(layer[4]),
                        layer.find(".dense") != std::string::npos ? "dense" : "improve",
                        layer.ends_with(".bn") ? "bn" : "binconv")};
  return {layer};
}

int groups_of(const graph::Op& op) {
  const auto* conv = std::get_if<graph::Conv2d>(&op);
  return conv == nullptr ? 1 : conv->groups;
}

}  // namespace

bool is_depthwise(const graph::Network& network, int layer) {
  const auto* conv = std::get_if<graph::Conv2d>(&network.layer(layer).op);
  return conv != nullptr && conv->groups > 1 && conv->groups == network.input_of(layer).channels;
}

Expected<std::vector<Layers>> match_layers(const KerasFile& file, const graph::Network& network,
                                           const std::set<std::string>& exits) {
  const bool named = file.find("stem_s0_conv") != nullptr;
  Queues queues(file, exits);
  std::set<std::string> used;
  std::vector<Layers> matched(network.layers().size());
  for (int i = 0; i < static_cast<int>(network.layers().size()); ++i) {
    const graph::Layer& layer = network.layer(i);
    Queue* queue = queues.queue_for(network, i);
    if (queue == nullptr) continue;
    const int groups = is_depthwise(network, i) ? 1 : groups_of(layer.op);
    const std::vector<std::string> names = own_names(layer.name, groups);
    for (int g = 0; g < groups; ++g) {
      const KerasLayer* found = named ? file.find(names[static_cast<std::size_t>(g)]) : queue->take();
      if (found == nullptr) {
        return not_found(
            fmt::format("no layer for {} ({}) of {}{}; is it another architecture?", layer.name,
                        graph::kind(layer.op), network.architecture(),
                        named ? ": " + names[static_cast<std::size_t>(g)] + " is not there" : ""));
      }
      matched[static_cast<std::size_t>(i)].push_back(found);
      used.insert(found->name);
    }
  }
  for (const KerasLayer& layer : file.layers) {
    if (!layer.weights.empty() && !used.contains(layer.name) && !exits.contains(layer.name))
      return unsupported(
          fmt::format("layer {} is none of {}'s, nor of an exit that reads it; is it another "
                      "architecture or --placement?",
                      layer.name, network.architecture()));
  }
  return matched;
}

}  // namespace bittern::convert
