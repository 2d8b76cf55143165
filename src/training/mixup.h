// Mixup (Zhang and others 2018): a clip's features become a mix of its own and another clip's.
#pragma once

#include <span>
#include <vector>

#include "core/random.h"

namespace bittern::training {

// Who is mixed with whom in a batch: clip i keeps shares[i] of itself and takes the rest of partners[i].
struct MixupPlan {
  std::vector<int> partners;  // a permutation
  std::vector<float> shares;
};

// Shares are drawn from Beta(alpha, alpha), 0 < alpha <= 1: the lower, the closer to 0 or 1 they lie.
MixupPlan plan_mixup(int clips, double alpha, Random& random);

// features: one row per clip of the plan, of any equal length.
void mix(std::span<float> features, const MixupPlan& plan);

}  // namespace bittern::training
