// Which part of a clip is looked at.
#include "runtime/segment.h"

#include <gtest/gtest.h>

#include <limits>
#include <vector>

#include "core/random.h"

namespace bittern::runtime {
namespace {

std::vector<float> ramp(std::size_t count) {
  std::vector<float> samples(count);
  for (std::size_t i = 0; i < count; ++i) samples[i] = static_cast<float>(i);
  return samples;
}

std::size_t begin_of(std::span<const float> samples, std::size_t window, Segment segment) {
  const auto chosen = choose_segment(samples, window, segment);
  EXPECT_EQ(chosen.size(), window);
  return static_cast<std::size_t>(chosen.data() - samples.data());
}

TEST(Segment, WholeIsAll) {
  const auto samples = ramp(10);
  EXPECT_EQ(choose_segment(samples, 4, Segment::kWhole).size(), 10U);
}

TEST(Segment, CentreLeavesAsMuchOnEitherSide) {
  EXPECT_EQ(begin_of(ramp(10), 4, Segment::kCentre), 3U);
  EXPECT_EQ(begin_of(ramp(11), 4, Segment::kCentre), 3U);
  EXPECT_EQ(begin_of(ramp(5), 4, Segment::kCentre), 0U);
}

TEST(Segment, OfAShortClipIsAllOfIt) {
  const auto samples = ramp(4);
  for (const Segment segment : {Segment::kWhole, Segment::kCentre, Segment::kLoudest}) {
    EXPECT_EQ(choose_segment(samples, 4, segment).size(), 4U);
    EXPECT_EQ(choose_segment(samples, 9, segment).size(), 4U);
  }
}

TEST(Segment, LoudestIsFoundAtEveryPlace) {
  for (std::size_t place = 0; place <= 20; ++place) {
    std::vector<float> samples(24, 0.01F);
    for (std::size_t i = 0; i < 4; ++i) samples[place + i] = i % 2 == 0 ? 0.5F : -0.5F;
    EXPECT_EQ(begin_of(samples, 4, Segment::kLoudest), place);
  }
}

TEST(Segment, LoudestOfEqualsIsTheEarliest) {
  EXPECT_EQ(begin_of(std::vector<float>(50, 0.25F), 8, Segment::kLoudest), 0U);
  EXPECT_EQ(begin_of(std::vector<float>(50, 0.0F), 8, Segment::kLoudest), 0U);
}

TEST(Segment, LoudestAgreesWithTryingAll) {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    Random random({seed});
    std::vector<float> samples(200);
    for (float& x : samples) x = static_cast<float>(random.below(65536)) / 32768.0F - 1.0F;
    const std::size_t window = 1 + random.below(199);
    std::size_t best = 0;
    double most = -1;
    for (std::size_t begin = 0; begin + window <= samples.size(); ++begin) {
      double energy = 0;  // exact: the samples have 16 bits
      for (std::size_t i = 0; i < window; ++i)
        energy += double{samples[begin + i]} * double{samples[begin + i]};
      if (energy > most) most = energy, best = begin;
    }
    ASSERT_EQ(begin_of(samples, window, Segment::kLoudest), best) << "seed " << seed;
  }
}

TEST(Segment, LoudestTakesAnyFiniteSample) {
  std::vector<float> samples(20, 0.1F);
  samples[15] = std::numeric_limits<float>::max();
  samples[16] = std::numeric_limits<float>::lowest();
  EXPECT_EQ(begin_of(samples, 2, Segment::kLoudest), 15U);
}

TEST(Silence, SurroundsAShortClip) {
  std::vector<float> window(7, 9.0F);
  centre_in_silence(std::vector<float>{1, 2, 3, 4}, window);
  EXPECT_EQ(window, (std::vector<float>{0, 1, 2, 3, 4, 0, 0}));
  centre_in_silence(std::vector<float>{5}, window);
  EXPECT_EQ(window, (std::vector<float>{0, 0, 0, 5, 0, 0, 0}));
  const auto full = ramp(7);
  centre_in_silence(full, window);
  EXPECT_EQ(window, full);
}

}  // namespace
}  // namespace bittern::runtime
