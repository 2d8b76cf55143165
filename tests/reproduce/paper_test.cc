#include "reproduce/paper.h"

#include <gtest/gtest.h>

namespace bittern::reproduce {
namespace {

TEST(Paper, HasARowForEachNetworkAndTask) {
  for (const char* network : {"QuickNet", "BiRealNet", "BinaryDenseNet", "MeliusNet"}) {
    EXPECT_TRUE(paper_cost(network)) << network;
    for (const char* task : {"Speech Commands", "MSWC Micro-EN", "VoxForge"}) {
      const auto accuracy = paper_accuracy(task, network);
      ASSERT_TRUE(accuracy) << network << ' ' << task;
      for (const auto& values : {accuracy->alone, accuracy->jointly}) {
        for (const double value : values) {
          EXPECT_GT(value, 10);
          EXPECT_LT(value, 100);
        }
      }
    }
  }
  EXPECT_FALSE(paper_cost("quicknet"));
  EXPECT_FALSE(paper_accuracy("", "QuickNet"));
}

TEST(Paper, SaysWhatIsPrinted) {
  EXPECT_EQ(paper_accuracy("Speech Commands", "QuickNet")->jointly[0], 86.3);
  EXPECT_EQ(paper_accuracy("VoxForge", "MeliusNet")->alone[3], 77.6);
  EXPECT_EQ(paper_cost("QuickNet")->time_ms[4], 3.51);
}

TEST(Paper, DoubtsThreeCells) {
  int doubtful = 0;
  for (const char* network : {"QuickNet", "BiRealNet", "BinaryDenseNet", "MeliusNet"}) {
    const PaperCost cost = *paper_cost(network);
    doubtful += (cost.float32_mib_doubtful ? 1 : 0) + (cost.first_time_doubtful ? 1 : 0);
    EXPECT_EQ(cost.doubt.empty(), !cost.float32_mib_doubtful && !cost.first_time_doubtful) << network;
  }
  EXPECT_EQ(doubtful, 3);
}

TEST(Paper, FindingsAreOfAFigureAndATask) {
  EXPECT_EQ(paper_findings(2, "Speech Commands").size(), 2U);
  EXPECT_EQ(paper_findings(2, "MSWC Micro-EN").size(), 1U);
  EXPECT_TRUE(paper_findings(5, "Speech Commands").empty());
  EXPECT_EQ(paper_findings(5, "VoxForge").size(), 1U);
  EXPECT_TRUE(paper_findings(1, "VoxForge").empty());
}

}  // namespace
}  // namespace bittern::reproduce
