#include "reproduce/estimate.h"

#include "reproduce/support.h"

namespace bittern::reproduce {
namespace {

class Estimates : public InFolder {
 protected:
  // As many training clips in both tasks; nothing of them is read but their names.
  Experiment with_data() const {
    Experiment of = experiment();
    for (Task& task : of.tasks) {
      for (const char* split : {"train", "validation", "test"})
        for (const char* word : {"no", "yes"}) write(task.name + "/" + split + "/" + word + "/1.flac", "x");
      task.data = folder_ / task.name;
    }
    return of;
  }
  double seconds(const Experiment& of, int jobs = 1) const {
    const auto result = estimate(of, out(), jobs);
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    return result.ok() ? result->seconds : -1;
  }
};

TEST_F(Estimates, HalfTheTimeWithTwiceTheJobs) {
  const Experiment of = with_data();
  pretend(of, of.runs().front(), 1, 10);
  EXPECT_DOUBLE_EQ(seconds(of, 2), seconds(of, 1) / 2);
}

TEST_F(Estimates, NoTrainingIsSharedOut) {
  Experiment of = with_data();
  of.single_exits = false;
  of.networks.pop_back();
  of.networks[0].seeds = {0};
  pretend(of, of.runs()[0], 1, 10);
  // One epoch of the first task and two of the second, whatever could run beside them.
  EXPECT_NEAR(seconds(of, 2), 20, 1e-6) << "the longest";
  EXPECT_NEAR(seconds(of, 64), 20, 1e-6);
  pretend(of, of.runs()[0], 2, 10);
  EXPECT_NEAR(seconds(of, 64), 20, 1e-6) << "the only one left";
}

TEST_F(Estimates, RestOnWhatTheNetworkTook) {
  Experiment of = with_data();
  of.single_exits = false;
  of.networks.pop_back();
  of.networks[0].seeds = {0};
  pretend(of, of.runs()[0], 1, 10);
  // One epoch of the first task is left, and two of the second, which has as many clips.
  EXPECT_NEAR(seconds(of), 30, 1e-6);
  pretend(of, of.runs()[0], 2, 10);
  EXPECT_NEAR(seconds(of), 20, 1e-6);
  pretend(of, of.runs()[1], 2, 10);
  EXPECT_EQ(seconds(of), 0);
}

TEST_F(Estimates, WithoutAnyEpochTakeTheMachinesSpeed) {
  const Experiment of = with_data();
  const auto result = estimate(of, out(), 1);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_EQ(result->measured_epochs, 0U);
  EXPECT_GT(result->seconds, 0);
}

}  // namespace
}  // namespace bittern::reproduce
