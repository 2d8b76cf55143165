// What an architecture's file writes with: appends layers, returns their indices, keeps the first error.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "graph/network.h"

namespace bittern::graph {

class Builder {
 public:
  explicit Builder(Shape input);

  int input() const { return 0; }
  // Appends a layer reading `inputs`, which must be indices that add() or input() returned; names must be
  // unique. Returns its index, which is valid also after an error (with an empty shape).
  int add(std::string name, Op op, std::initializer_list<int> inputs);
  const Shape& shape(int index) const;

  const std::vector<Layer>& layers() const { return layers_; }
  const Status& status() const { return status_; }

 private:
  std::vector<Layer> layers_;
  Status status_;
};

}  // namespace bittern::graph
