#include "evaluation/collect.h"

#include <gtest/gtest.h>

#include <limits>

#include "evaluation/varied_model.h"

namespace bittern::evaluation {
namespace {

class Collect : public testing::Test {
 protected:
  // Around the window of the tiny network, 0.215 s.
  Collect() {
    for (std::size_t i = 0; i < 24; ++i) clips_.push_back(synthetic_clip(i, 2000 + 1000 * (i % 5)));
    model_ = varied_model(model::tiny_network(), 5, clips_);
  }
  std::vector<std::vector<float>> clips_;
  std::shared_ptr<const model::Model> model_;
};

TEST_F(Collect, KeepsWhatASessionSaysInTheClipsOrderForAnyNumberOfThreads) {
  auto session = runtime::Session::create(model_);
  ASSERT_TRUE(session.ok());
  const auto exits = static_cast<std::size_t>(model_->network.exit_count());
  std::vector<float> logits(exits * 3);
  for (const int threads : {1, 2, 7, 64}) {
    CollectOptions options;
    options.threads = threads;
    const auto collected = collect(model_, clips_, options);
    ASSERT_TRUE(collected.ok()) << collected.error().message;
    ASSERT_EQ(collected->clips, clips_.size());
    for (std::size_t clip = 0; clip < clips_.size(); ++clip) {
      ASSERT_TRUE(session->logits(clips_[clip], logits).ok());
      for (std::size_t exit = 0; exit < exits; ++exit)
        for (std::size_t c = 0; c < 3; ++c)
          ASSERT_EQ(collected->logits_of(clip, exit)[c], logits[exit * 3 + c]) << clip << " " << exit;
    }
  }
}

TEST_F(Collect, SharesAreThoseOfARunForEverySegment) {
  for (const auto segment :
       {runtime::Segment::kWhole, runtime::Segment::kCentre, runtime::Segment::kLoudest}) {
    CollectOptions options;
    options.session.segment = segment;
    const auto collected = collect(model_, clips_, options);
    ASSERT_TRUE(collected.ok());
    auto session = runtime::Session::create(model_, options.session);
    for (std::size_t clip = 0; clip < clips_.size(); ++clip) {
      for (int exit = 1; exit <= model_->network.exit_count(); ++exit) {
        runtime::Classification said;
        const auto policy = exits::Policy::at_exit(exit, model_->network.exit_count());
        ASSERT_TRUE(session->classify(clips_[clip], *policy, said).ok());
        EXPECT_EQ(collected->shares_of(clip)[static_cast<std::size_t>(exit - 1)], said.macs_share);
      }
    }
  }
}

TEST_F(Collect, NamesTheFirstClipThatCannotBeRun) {
  clips_[20][5] = std::numeric_limits<float>::quiet_NaN();
  clips_[9][7] = std::numeric_limits<float>::infinity();
  std::vector<std::string> names;
  for (std::size_t i = 0; i < clips_.size(); ++i) names.push_back("clip-" + std::to_string(i) + ".wav");
  for (const int threads : {1, 4}) {
    CollectOptions options;
    options.threads = threads;
    options.names = names;
    const auto collected = collect(model_, clips_, options);
    ASSERT_FALSE(collected.ok());
    EXPECT_EQ(collected.error().message.find("clip-9.wav: "), 0U) << collected.error().message;
  }
}

TEST_F(Collect, StopsWhenAsked) {
  // Enough work for the first question to come before the end.
  const std::vector<std::vector<float>> many(20000, clips_.front());
  CollectOptions options;
  options.progress = [](std::size_t, std::size_t) { return false; };
  const auto collected = collect(model_, many, options);
  ASSERT_FALSE(collected.ok());
  EXPECT_EQ(collected.error().code, ErrorCode::kCancelled);
}

TEST_F(Collect, ReportsProgressWithinBounds) {
  CollectOptions options;
  options.threads = 2;
  std::size_t last = 0;
  bool ordered = true;
  options.progress = [&](std::size_t done, std::size_t total) {
    ordered = ordered && done >= last && done <= total && total == clips_.size();
    last = done;
    return true;
  };
  ASSERT_TRUE(collect(model_, clips_, options).ok());
  EXPECT_TRUE(ordered);
}

}  // namespace
}  // namespace bittern::evaluation
