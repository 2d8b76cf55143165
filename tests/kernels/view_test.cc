#include <gtest/gtest.h>

#include <array>
#include <numeric>

#include "kernels/view.h"
#include "kernels/window.h"

namespace bittern::kernels {
namespace {

TEST(View, DenseRowsFollowEachOther) {
  std::array<int, 24> data{};
  std::iota(data.begin(), data.end(), 0);
  const View<int> view = dense_view(data.data(), 2, 3, 4);
  EXPECT_EQ(*view.pixel(0, 0), 0);
  EXPECT_EQ(*view.pixel(0, 2), 8);
  EXPECT_EQ(*view.pixel(1, 1), 16);
}

TEST(View, ChannelsAreAPlaceInAWiderTensor) {
  std::array<int, 24> data{};
  std::iota(data.begin(), data.end(), 0);
  const View<const int> part = channels_of(dense_view(data.data(), 2, 3, 4), 1, 2);
  EXPECT_EQ(part.channels, 2);
  EXPECT_EQ(part.pixel(1, 1)[0], 17);
  EXPECT_EQ(part.pixel(1, 1)[1], 18);
}

TEST(View, RingRowsComeRound) {
  std::array<int, 6> data{0, 1, 2, 3, 4, 5};
  const View<int> view = ring_view(data.data(), 100, 1, 2, 3, 2);
  EXPECT_EQ(*view.row(0), 4);
  EXPECT_EQ(*view.row(1), 0);
  EXPECT_EQ(*view.row(2), 2);
  EXPECT_EQ(*view.row(99), 4);
}

TEST(Window, ClipsTapsAtBothEnds) {
  const auto clip = [](int output) { return clip_taps(output, 2, 2, 5, 6); };
  EXPECT_EQ(clip(0).begin, 2);  // input -2 .. 2
  EXPECT_EQ(clip(0).end, 5);
  EXPECT_EQ(clip(1).count(), 5);  // 0 .. 4
  EXPECT_EQ(clip(2).begin, 0);    // 2 .. 6
  EXPECT_EQ(clip(2).end, 4);
  EXPECT_EQ(clip(9).count(), 0);
  EXPECT_EQ(clip_taps(0, 1, 9, 3, 6).count(), 0);
}

}  // namespace
}  // namespace bittern::kernels
