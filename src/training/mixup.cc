#include "training/mixup.h"

#include <cmath>
#include <cstddef>

#include "core/shuffle.h"

namespace bittern::training {
namespace {

// Jöhnk's method: exact, and for alpha up to 1 it takes half of its tries or more, as long as the powers do
// not vanish: kLeastMixup.
float draw_beta(double alpha, Random& random) {
  for (;;) {
    const double x = std::pow(double{random.uniform()}, 1 / alpha);
    const double y = std::pow(double{random.uniform()}, 1 / alpha);
    if (x + y > 0 && x + y <= 1) return static_cast<float>(x / (x + y));
  }
}

}  // namespace

MixupPlan plan_mixup(int clips, double alpha, Random& random) {
  MixupPlan plan;
  plan.partners = shuffled(clips, random);
  for (int i = 0; i < clips; ++i) plan.shares.push_back(draw_beta(alpha, random));
  return plan;
}

void mix(std::span<float> features, const MixupPlan& plan) {
  if (plan.partners.empty()) return;
  const std::size_t length = features.size() / plan.partners.size();
  const std::vector<float> before(features.begin(), features.end());
  for (std::size_t clip = 0; clip < plan.partners.size(); ++clip) {
    const float* other = before.data() + static_cast<std::size_t>(plan.partners[clip]) * length;
    float* own = features.data() + clip * length;
    const float share = plan.shares[clip];
    for (std::size_t i = 0; i < length; ++i) own[i] = share * own[i] + (1 - share) * other[i];
  }
}

}  // namespace bittern::training
