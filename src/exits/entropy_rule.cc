// The paper's rule (Algorithm 1): leave where the entropy of the answer is below the threshold.
#include <limits>

#include "exits/rules.h"
#include "exits/threshold.h"

namespace bittern::exits {
namespace {

constexpr std::string_view kName = "entropy";

// No upper limit below infinity: any threshold above ln(classes) leaves at exit 1.
Status check(float threshold) {
  return check_range(kName, threshold, 0.0F, std::numeric_limits<float>::max());
}

bool leave(std::span<const Answer> answers, float threshold) { return answers.back().entropy < threshold; }

}  // namespace

Rule entropy_rule() {
  return {kName, "leave when the entropy of the answer, in nats, is below the threshold",
          0.5F,  {0.1F, 0.25F, 0.5F, 0.75F, 1.0F},
          check, leave};
}

}  // namespace bittern::exits
