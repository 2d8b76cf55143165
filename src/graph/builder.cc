#include "graph/builder.h"

#include <algorithm>

#include "graph/shapes.h"

namespace bittern::graph {

Builder::Builder(Shape input) {
  status_ = check_shape(input);
  layers_.push_back({"input", Input{}, {}, input});
}

int Builder::add(std::string name, Op op, std::initializer_list<int> inputs) {
  Shape output;
  if (status_.ok()) {
    std::vector<Shape> shapes;
    for (const int input : inputs) shapes.push_back(shape(input));
    Expected<Shape> expected = output_shape(op, shapes);
    const bool taken =
        std::any_of(layers_.begin(), layers_.end(), [&](const Layer& layer) { return layer.name == name; });
    if (!expected) {
      status_ = Error{expected.error().code, "layer " + name + ": " + expected.error().message};
    } else if (taken) {
      status_ = invalid_argument("two layers are named " + name);
    } else {
      output = expected.value();
    }
  }
  layers_.push_back({std::move(name), op, inputs, output});
  return static_cast<int>(layers_.size()) - 1;
}

const Shape& Builder::shape(int index) const { return layers_[static_cast<std::size_t>(index)].output; }

}  // namespace bittern::graph
