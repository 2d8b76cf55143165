// The network that a recipe asks for.
#pragma once

#include "core/status.h"
#include "features/log_mel_spec.h"
#include "graph/network.h"
#include "training/recipe.h"

namespace bittern::training {

Expected<graph::Network> build_network(const Recipe& recipe, const features::LogMelSpec& front_end,
                                       int classes);

// Whether the recipe can be trained at all, whatever the data: its ranges, its network, its exits' weights.
Status check(const Recipe& recipe);

}  // namespace bittern::training
