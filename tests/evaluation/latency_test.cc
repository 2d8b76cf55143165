// What can be said of measured times without knowing them.
#include "evaluation/latency.h"

#include <gtest/gtest.h>

#include <cmath>

#include "model/random_model.h"
#include "runtime/lower.h"

namespace bittern::evaluation {
namespace {

TEST(Quantiles, AreMiddleAndNearestRanks) {
  std::vector<double> values;
  for (int i = 100; i >= 1; --i) values.push_back(i);
  const Quantiles of = quantiles(values);
  EXPECT_EQ(of.median, 50.5);
  EXPECT_EQ(of.p90, 90);
  EXPECT_EQ(of.p99, 99);
  const Quantiles one = quantiles({7});
  EXPECT_EQ(one.median, 7);
  EXPECT_EQ(one.p90, 7);
  EXPECT_EQ(one.p99, 7);
}

// In the third of five runs the second step was interrupted.
TEST(StepTimes, OneInterruptionMovesNoShare) {
  const auto times = step_times({{1000, 1100, 900, 1000, 1000}, {3000, 2900, 5e6, 3000, 3100}});
  ASSERT_EQ(times.size(), 2U);
  EXPECT_DOUBLE_EQ(times[0].time_us, 1);
  EXPECT_DOUBLE_EQ(times[1].time_us, 3);
  EXPECT_DOUBLE_EQ(times[0].share, 0.25);
  EXPECT_DOUBLE_EQ(times[1].share, 0.75);
}

TEST(Latency, CountsWhatTheNetworkCostsAndAddsUp) {
  const graph::Network network = model::tiny_network();
  const auto model = model::random_model(network, 1);
  const graph::Counts counts = graph::count(network);
  const auto measured = measure_latency(model, {.runs = 20}, nullptr);
  ASSERT_TRUE(measured.ok()) << measured.error().message;
  EXPECT_GT(measured->binary_peak, 0);
  EXPECT_GT(measured->float_peak, 0);
  EXPECT_GT(measured->front_end_us.median, 0);
  ASSERT_EQ(measured->exits.size(), 3U);
  double before = 0;
  for (const ExitLatency& exit : measured->exits) {
    const auto& expected = counts.exits[static_cast<std::size_t>(exit.exit) - 1];
    EXPECT_EQ(exit.layer, expected.layer);
    EXPECT_EQ(exit.macs.binary, expected.cumulative.binary);
    EXPECT_EQ(exit.macs.floating, expected.cumulative.floating);
    EXPECT_GT(exit.time_us.median, before);
    EXPECT_LE(exit.time_us.median, exit.time_us.p90);
    EXPECT_LE(exit.time_us.p90, exit.time_us.p99);
    EXPECT_NEAR(exit.floor_share * exit.time_us.median, exit.floor_us, 1e-9 * exit.floor_us);
    before = exit.time_us.median;
  }
  const runtime::Plan plan = runtime::lower(*model, model->front_end.clip_frames()).value();
  ASSERT_EQ(measured->steps.size(), static_cast<std::size_t>(plan.step_count));
  double shares = 0;
  graph::Macs macs;
  for (const StepLatency& step : measured->steps) {
    EXPECT_FALSE(step.name.empty());
    EXPECT_FALSE(step.kernel.empty());
    shares += step.share;
    macs += step.macs;
  }
  EXPECT_NEAR(shares, 1, 1e-9);
  EXPECT_EQ(macs.binary, counts.exits.back().cumulative.binary);
  EXPECT_EQ(macs.floating, counts.exits.back().cumulative.floating);
}

TEST(Latency, StopsWhenAskedTo) {
  const auto model = model::random_model(model::tiny_network(), 1);
  const auto stopped =
      measure_latency(model, {.runs = 1000}, [](std::size_t done, std::size_t) { return done < 3; });
  ASSERT_FALSE(stopped.ok());
  EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled);
  const auto late = measure_latency(model, {.runs = 10},
                                    [](std::size_t done, std::size_t total) { return 2 * done <= total; });
  EXPECT_FALSE(late.ok());
  EXPECT_FALSE(measure_latency(model, {.runs = 0}, nullptr).ok());
}

}  // namespace
}  // namespace bittern::evaluation
