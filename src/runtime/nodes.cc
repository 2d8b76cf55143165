#include "runtime/nodes.h"

#include <algorithm>
#include <array>

namespace bittern::runtime {

Nodes::Nodes(const graph::Network& network) : network_(&network), nodes_(network.layers().size()) {
  std::vector<bool> only_binary(nodes_.size(), true);
  std::vector<bool> only_pools(nodes_.size(), true);
  for (int i = 0; i < size(); ++i) {
    nodes_[static_cast<std::size_t>(i)].inputs = network.layer(i).inputs;
    for (const int input : network.layer(i).inputs) {
      if (as<graph::BinaryConv2d>(i) == nullptr) only_binary[static_cast<std::size_t>(input)] = false;
      if (as<graph::MaxPool>(i) == nullptr) only_pools[static_cast<std::size_t>(input)] = false;
    }
  }
  for (int i = 0; i < size(); ++i) {
    Node& node = nodes_[static_cast<std::size_t>(i)];
    if ((as<graph::BatchNorm>(i) != nullptr && only_binary[static_cast<std::size_t>(i)]) ||
        (as<graph::Relu>(i) != nullptr && only_pools[static_cast<std::size_t>(i)])) {
      node.gone = true;
      continue;
    }
    const bool binary = as<graph::BinaryConv2d>(i) != nullptr;
    if (binary || as<graph::MaxPool>(i) != nullptr) {
      const int source = node.inputs.front();
      if (nodes_[static_cast<std::size_t>(source)].gone) {
        (binary ? node.affine : node.relu) = source;
        node.inputs = nodes_[static_cast<std::size_t>(source)].inputs;
      }
    }
    for (const int input : node.inputs) nodes_[static_cast<std::size_t>(input)].readers.push_back(i);
  }
}

std::vector<int> Nodes::closure(int index) const {
  std::vector<bool> seen(nodes_.size(), false);
  std::vector<int> found{index};
  seen[static_cast<std::size_t>(index)] = true;
  for (std::size_t next = 0; next < found.size(); ++next) {
    const int at = found[next];
    if (as<graph::Concat>(at) == nullptr && as<graph::Add>(at) == nullptr && !norm_of_concat(at)) continue;
    for (const int input : (*this)[at].inputs) {
      if (seen[static_cast<std::size_t>(input)]) continue;
      seen[static_cast<std::size_t>(input)] = true;
      found.push_back(input);
    }
  }
  return found;
}

bool Nodes::norm_of_concat(int index) const {
  return as<graph::BatchNorm>(index) != nullptr &&
         as<graph::Concat>((*this)[index].inputs.front()) != nullptr;
}

bool Nodes::unread(int index, int from, int to, std::span<const int> ignored) const {
  for (const int at : closure(index)) {
    for (const int reader : (*this)[at].readers) {
      if (reader <= from || reader == to) continue;
      if (std::find(ignored.begin(), ignored.end(), reader) == ignored.end()) return false;
    }
  }
  return true;
}

namespace {

class Placement {
 public:
  Placement(const Nodes& nodes, std::vector<Buffer>& buffers)
      : nodes_(nodes), buffers_(buffers), places_(static_cast<std::size_t>(nodes.size())) {}

  // Backwards, so that the widest of a chain of concats is seen first and decides for all.
  std::vector<Place> run() {
    for (int i = nodes_.size() - 1; i >= 0; --i) {
      if (nodes_[i].gone || nodes_.as<graph::Exit>(i) != nullptr) continue;
      if (!place(i)) set(i, own_buffer(i), 0);
      if (nodes_.as<graph::Concat>(i) != nullptr) join(i);
      if (nodes_.as<graph::Add>(i) != nullptr) overlay(i);
      if (nodes_.norm_of_concat(i)) overlay_norm(i);
    }
    return std::move(places_);
  }

 private:
  Place& place(int i) { return places_[static_cast<std::size_t>(i)]; }
  void set(int i, int buffer, int channel) { place(i) = {buffer, channel, nodes_.shape(i).channels}; }

  int own_buffer(int i) {
    const graph::Shape& shape = nodes_.shape(i);
    buffers_.push_back({.name = nodes_.network().layer(i).name,
                        .time = shape.time,
                        .rows = shape.time,
                        .frequency = shape.frequency,
                        .width = shape.channels});
    return static_cast<int>(buffers_.size()) - 1;
  }

  // The features' buffer is the front end's to fill, without gaps.
  bool may_move(int i) { return i != 0 && !place(i); }

  void join(int concat) {
    int channel = place(concat).channel;
    for (const int input : nodes_[concat].inputs) {
      if (may_move(input)) set(input, place(concat).buffer, channel);
      channel += nodes_.shape(input).channels;
    }
  }

  // The operand made first is the better one to write over: the other is mostly still at hand, unstored.
  void overlay(int add) {
    const std::vector<int>& inputs = nodes_[add].inputs;
    std::array<int, 2> order{inputs[0], inputs[1]};
    if (order[0] > order[1]) std::swap(order[0], order[1]);
    for (const int input : order) {
      const int other = input == inputs[0] ? inputs[1] : inputs[0];
      if (!may_move(input) || nodes_.shape(input) != nodes_.shape(add)) continue;
      if (!nodes_.unread(input, add, add) || shares(input, other) || shares(other, input)) continue;
      set(input, place(add).buffer, place(add).channel);
      return;
    }
  }

  // The end of a section, the widest tensor that there is, is not needed any more once it is normed.
  void overlay_norm(int norm) {
    const int concat = nodes_[norm].inputs.front();
    if (may_move(concat) && nodes_.unread(concat, norm, norm))
      set(concat, place(norm).buffer, place(norm).channel);
  }

  bool shares(int whole, int part) const {
    const std::vector<int> closure = nodes_.closure(whole);
    return std::find(closure.begin(), closure.end(), part) != closure.end();
  }

  const Nodes& nodes_;
  std::vector<Buffer>& buffers_;
  std::vector<Place> places_;
};

}  // namespace

std::vector<Place> place_tensors(const Nodes& nodes, std::vector<Buffer>& buffers) {
  return Placement(nodes, buffers).run();
}

}  // namespace bittern::runtime
