// The layers of a network as lowering sees them, with readers, and the place of every tensor.
#pragma once

#include <span>
#include <vector>

#include "graph/network.h"
#include "runtime/plan.h"

namespace bittern::runtime {

// A layer. Batch norms that only binary convolutions read are gone: those read the norm's input and carry its
// index in `affine`. So are ReLUs that only maximum pools read, which carry the index in `relu`.
struct Node {
  std::vector<int> inputs;
  std::vector<int> readers;  // ascending, a reader twice where it reads twice
  int affine = -1;
  int relu = -1;
  bool gone = false;
};

class Nodes {
 public:
  explicit Nodes(const graph::Network& network);

  const graph::Network& network() const { return *network_; }
  int size() const { return static_cast<int>(nodes_.size()); }
  const Node& operator[](int index) const { return nodes_[static_cast<std::size_t>(index)]; }
  const graph::Shape& shape(int index) const { return network_->shape_of(index); }
  template <class T>
  const T* as(int index) const {
    return std::get_if<T>(&network_->layer(index).op);
  }

  // A batch norm that reads a Concat.
  bool norm_of_concat(int index) const;
  // The layers whose tensors may share memory with that of `index`: itself and, through Concat, Add and norms
  // of Concat, all that it was put together from.
  std::vector<int> closure(int index) const;
  // No layer of closure(index) is read between `from` and `to` (both exclusive) or after `to`, except by
  // the layers in `ignored`.
  bool unread(int index, int from, int to, std::span<const int> ignored = {}) const;

 private:
  const graph::Network* network_;
  std::vector<Node> nodes_;
};

// Where every layer's tensor lies. A Concat's inputs lie side by side in its own buffer and an Add's output
// lies over its first input, a norm's over the Concat that it reads, wherever no later reader would notice;
// all others have a buffer of their own. Adds the buffers to `buffers`; a node that is gone has no place.
std::vector<Place> place_tensors(const Nodes& nodes, std::vector<Buffer>& buffers);

}  // namespace bittern::runtime
