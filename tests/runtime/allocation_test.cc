// Once prepared for a length, no call takes memory.
#include <gtest/gtest.h>

#include <type_traits>
#include <vector>

#include "core/random.h"
#include "model/random_model.h"
#include "runtime/networks.h"
#include "runtime/session.h"
#include "support/allocations.h"

namespace bittern::runtime {
namespace {

std::vector<float> samples_of(std::size_t count) {
  Random random({count, 24});
  std::vector<float> samples(count);
  for (float& x : samples) x = random.uniform(-0.5F, 0.5F);
  return samples;
}

static_assert(noexcept(std::declval<Session&>().classify({}, std::declval<exits::Policy>(),
                                                         std::declval<Classification&>())));

TEST(Allocation, PreparedLengthsTakeNoMemory) {
  for (const std::string name : {"quicknet-small", "birealnet-18", "binarydensenet-28", "meliusnet-22"}) {
    const auto model = model::random_model(architecture(name), 1);
    const std::size_t before = allocations();
    Session session = Session::create(model).value();
    EXPECT_GT(allocations(), before);  // the counting works
    ASSERT_TRUE(session.prepare(40000).ok());
    const auto short_clip = samples_of(9000);
    const auto clip = samples_of(16000);
    const auto long_clip = samples_of(40000);
    const auto entropy = exits::Policy::with_threshold("entropy", 0.5F).value();
    const auto patience = exits::Policy::with_threshold("patience", 3).value();
    const std::vector<std::uint8_t> only{1, 0, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1};
    std::vector<float> logits(std::size_t{5} * 12);
    const std::vector<float> window = random_features({98, 64, 1}, 2);
    const std::vector<float> longer = random_features({1 + (40000 - 400) / 160, 64, 1}, 3);
    Classification result;
    const std::size_t prepared = allocations();
    bool ok = true;
    for (const auto* samples : {&clip, &long_clip, &short_clip, &clip}) {
      ok = ok && session.classify(*samples, entropy, result).ok();
      ok = ok && session.classify(*samples, patience, result, only).ok();
      ok = ok && session.classify(*samples, exits::Policy{}, result).ok();
      ok = ok && session.logits(*samples, logits).ok();
    }
    for (const auto* features : {&window, &longer, &window}) {
      ok = ok && session.logits_from_features(*features, logits).ok();
    }
    EXPECT_EQ(allocations(), prepared) << name;
    EXPECT_TRUE(ok) << name;
  }
}

TEST(Allocation, AnotherLengthIsPlannedForOnce) {
  const auto model = model::random_model(model::tiny_network(), 1);
  Session session = Session::create(model).value();
  const auto clip = samples_of(8000);
  Classification result;
  const std::size_t before = allocations();
  ASSERT_TRUE(session.classify(clip, exits::Policy{}, result).ok());
  const std::size_t planned = allocations();
  EXPECT_GT(planned, before);
  const bool ok = session.classify(clip, exits::Policy{}, result).ok();
  EXPECT_EQ(allocations(), planned);
  EXPECT_TRUE(ok);
}

TEST(Allocation, AFewLengthsByTurnsArePlannedForOnceEach) {
  const auto model = model::random_model(model::tiny_network(), 1);
  Session session = Session::create(model).value();
  const std::vector<float> samples = samples_of(20000);
  const auto run_all = [&](std::size_t lengths) {
    Classification result;
    bool ok = true;
    for (std::size_t i = 0; i < lengths; ++i)
      ok = ok && session.classify(std::span(samples).first(8000 + 1600 * i), exits::Policy{}, result).ok();
    EXPECT_TRUE(ok);
  };
  run_all(kKeptPlans);
  const std::size_t planned = allocations();
  run_all(kKeptPlans);
  EXPECT_EQ(allocations(), planned);
  run_all(kKeptPlans + 1);  // the last one takes the place of the first, which then takes the second's, ...
  const std::size_t more = allocations();
  EXPECT_GT(more, planned);
  run_all(kKeptPlans + 1);
  EXPECT_GT(allocations(), more);
}

}  // namespace
}  // namespace bittern::runtime
