#include "graph/prune.h"

namespace bittern::graph {

std::vector<bool> needed_by(const std::vector<Layer>& layers, std::span<const int> roots) {
  std::vector<bool> needed(layers.size(), false);
  for (const int root : roots) needed[static_cast<std::size_t>(root)] = true;
  for (std::size_t i = layers.size(); i-- > 0;) {
    if (!needed[i]) continue;
    for (const int input : layers[i].inputs) needed[static_cast<std::size_t>(input)] = true;
  }
  return needed;
}

std::vector<Layer> prune(const std::vector<Layer>& layers, std::span<const int> roots) {
  const std::vector<bool> needed = needed_by(layers, roots);
  std::vector<int> place(layers.size(), -1);
  std::vector<Layer> kept;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (!needed[i]) continue;
    place[i] = static_cast<int>(kept.size());
    kept.push_back(layers[i]);
    for (int& input : kept.back().inputs) input = place[static_cast<std::size_t>(input)];
  }
  return kept;
}

}  // namespace bittern::graph
