#include "training/recipe_network.h"

#include <fmt/format.h>

#include <cstddef>

#include "core/text.h"
#include "graph/architecture.h"

namespace bittern::training {

Expected<graph::Network> build_network(const Recipe& recipe, const features::LogMelSpec& front_end,
                                       int classes) {
  graph::BuildOptions options;
  options.architecture = recipe.architecture;
  options.placement = recipe.placement;
  options.pool = recipe.pool;
  options.dense = recipe.exit_dense;
  options.classes = classes;
  options.input = {front_end.clip_frames(), front_end.mel_bins, 1};
  BITTERN_ASSIGN_OR_RETURN(graph::Network network, graph::build(options));
  if (recipe.single_exit == 0) return network;
  return network.cut_at_exit(recipe.single_exit);
}

Status check(const Recipe& recipe) {
  BITTERN_RETURN_IF_ERROR(recipe.validate());
  constexpr int kAnyClasses = 2;
  BITTERN_ASSIGN_OR_RETURN(const graph::Network network, build_network(recipe, {}, kAnyClasses));
  const std::size_t weights = recipe.exit_weights.size();
  if (weights != 0 && weights != static_cast<std::size_t>(network.exit_count())) {
    return invalid_argument(
        fmt::format("{} exit weights for a network with {}", weights, counted(network.exit_count(), "exit")));
  }
  return {};
}

}  // namespace bittern::training
