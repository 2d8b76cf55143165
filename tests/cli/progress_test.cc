#include "cli/progress.h"

#include <gtest/gtest.h>

namespace bittern::cli {
namespace {

TEST(ProgressLine, TellsShareRateAndTimeLeft) {
  EXPECT_EQ(progress_line("reading", "clips", 50, 200, 10),
            "reading [======>                 ]  25 %  5.0 clips/s  0:30 left");
  EXPECT_EQ(progress_line("reading", "clips", 200, 200, 10),
            "reading [========================] 100 %  20 clips/s  0:00 left");
  EXPECT_EQ(progress_line("epoch 2", "clips", 1, 100000, 0.5),
            "epoch 2 [>                       ]   0 %  2.0 clips/s  13:53:20 left");
}

TEST(ProgressLine, PromisesNothingBeforeTheFirstStep) {
  EXPECT_EQ(progress_line("reading", "clips", 0, 200, 10), "reading [>                       ]   0 %");
}

TEST(ProgressLine, SurvivesOddCounts) {
  EXPECT_NE(progress_line("x", "y", 0, 0, 0).find("100 %"), std::string::npos);
  EXPECT_NE(progress_line("x", "y", 9, 3, 1).find("100 %"), std::string::npos);
}

}  // namespace
}  // namespace bittern::cli
