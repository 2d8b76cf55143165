#include "runtime/batch.h"

#include <gtest/gtest.h>

#include <string>

#include "core/random.h"
#include "model/random_model.h"
#include "runtime/networks.h"

namespace bittern::runtime {
namespace {

class Batches : public testing::Test {
 protected:
  Batches() {
    Random random{5};
    for (std::size_t i = 0; i < 40; ++i) {
      std::vector<float> clip(9000 + 500 * (i % 19));
      for (float& x : clip) x = random.uniform(-0.5F, 0.5F);
      clips_.push_back(std::move(clip));
    }
  }

  Batch::Source source() const {
    return [this](std::size_t clip, std::vector<float>&) -> Expected<std::span<const float>> {
      if (clip == 7) return not_found("clip seven");
      return std::span<const float>(clips_[clip]);
    };
  }

  const std::shared_ptr<const model::Model> model_ = model::random_model(architecture("quicknet-small"), 3);
  const exits::Policy policy_ = exits::Policy::with_threshold("margin", 0.05F).value();
  std::vector<std::vector<float>> clips_;
};

TEST_F(Batches, AnswerAsASessionDoesWhateverTheThreads) {
  clips_[11].clear();  // what no session takes
  for (const int threads : {1, 2, 7}) {
    Session session = Session::create(model_).value();
    Batch batch = Batch::create(model_, {}, threads).value();
    EXPECT_EQ(batch.threads(), threads);
    std::size_t next = 0;
    const auto sink = [&](std::size_t clip, const Expected<BatchAnswer>& answer) -> Status {
      EXPECT_EQ(clip, next++);
      Classification alone;
      const Status status = session.classify(clips_[clip], policy_, alone);
      if (clip == 7 || clip == 11) {
        EXPECT_FALSE(answer.ok());
        if (!answer.ok()) {
          EXPECT_EQ(answer.error().message, clip == 7 ? "clip seven" : status.error().message);
        }
        return {};
      }
      EXPECT_TRUE(status.ok() && answer.ok());
      if (!answer.ok()) return answer.error();
      EXPECT_EQ(answer->said.label, alone.label);
      EXPECT_EQ(answer->said.exit, alone.exit);
      EXPECT_EQ(answer->said.entropy, alone.entropy);
      EXPECT_EQ(answer->said.macs_share, alone.macs_share);
      EXPECT_EQ(answer->said.probabilities.data(), answer->probabilities.data());
      EXPECT_TRUE(std::equal(answer->probabilities.begin(), answer->probabilities.end(),
                             alone.probabilities.begin(), alone.probabilities.end()));
      EXPECT_GT(answer->time_us, 0);
      return {};
    };
    ASSERT_TRUE(batch.classify(clips_.size(), policy_, {}, source(), sink).ok());
    EXPECT_EQ(next, clips_.size());
  }
}

TEST_F(Batches, EndWhereTheSinkFails) {
  Batch batch = Batch::create(model_, {}, 3).value();
  std::size_t last = 0;
  const Status status = batch.classify(clips_.size(), policy_, {}, source(),
                                       [&](std::size_t clip, const Expected<BatchAnswer>&) -> Status {
                                         last = clip;
                                         return clip == 9 ? Status(io_error("full")) : Status();
                                       });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "full");
  EXPECT_EQ(last, 9U);
}

TEST_F(Batches, AreRefusedWhatTheyCannotDo) {
  EXPECT_FALSE(Batch::create(model_, {}, 0).ok());
  EXPECT_FALSE(Batch::create(nullptr, {}, 1).ok());
  alignas(64) std::byte memory[64];
  SessionOptions options;
  options.arena = memory;
  EXPECT_FALSE(Batch::create(model_, options, 1).ok());
}

}  // namespace
}  // namespace bittern::runtime
