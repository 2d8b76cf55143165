#include "cli/progress.h"

#include <gtest/gtest.h>

namespace bittern::cli {
namespace {

TEST(ProgressLine, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_line("reading", "clips", 50, 200, 5),
            "reading [======>                 ]  25 %  5.0 clips/s  0:30 left");
  EXPECT_EQ(progress_line("reading", "clips", 200, 200, 20),
            "reading [========================] 100 %  20 clips/s  0:00 left");
  EXPECT_EQ(progress_line("epoch 2", "clips", 1, 100000, 2),
            "epoch 2 [>                       ]   0 %  2.0 clips/s  13:53:20 left");
}

TEST(ProgressLine, PromisesNothingBeforeTheFirstStep) {
  EXPECT_EQ(progress_line("reading", "clips", 0, 200, 0), "reading [>                       ]   0 %");
}

TEST(ProgressLine, SurvivesOddCounts) {
  EXPECT_NE(progress_line("x", "y", 0, 0, 0).find("100 %"), std::string::npos);
  EXPECT_NE(progress_line("x", "y", 9, 3, 1).find("100 %"), std::string::npos);
}

TEST(Rate, CountsFromTheFirstReport) {
  using std::chrono::seconds;
  Rate rate;
  const Rate::Clock::time_point start{seconds(1000)};  // minutes of other work came before
  EXPECT_EQ(rate.update(400, start), 0);               // where a resumed run begins
  EXPECT_EQ(rate.update(420, start + seconds(10)), 2);
  EXPECT_EQ(rate.update(500, start + seconds(25)), 4);
}

TEST(Rate, StartsAnewWhereTheCountFalls) {
  using std::chrono::seconds;
  Rate rate;
  const Rate::Clock::time_point start{seconds(5)};
  rate.update(0, start);
  EXPECT_EQ(rate.update(100, start + seconds(10)), 10);
  EXPECT_EQ(rate.update(1, start + seconds(100)), 0);
  EXPECT_EQ(rate.update(31, start + seconds(110)), 3);
}

}  // namespace
}  // namespace bittern::cli
