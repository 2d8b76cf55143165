#include <gtest/gtest.h>

#include <bittern/bittern.hpp>

#include <vector>

namespace {

const char* const kModel = BITTERN_SOURCE_DIR "/tests/model/golden/v1.bittern";

TEST(Wrapper, OpensClassifiesAndCloses) {
  auto model = bittern::api::Model::open(kModel);
  EXPECT_EQ(model.info().label_count, 3);
  bittern::api::Session session(model);
  const std::vector<float> samples(model.info().window_samples, 0.25F);
  const int label = session.classify(samples.data(), samples.size()).label;
  EXPECT_GE(label, 0);
  EXPECT_EQ(session.exit_result(1), nullptr);
  session.classify_exits(samples.data(), samples.size());
  EXPECT_EQ(session.exit_result(3)->exit, 3);
  EXPECT_GT(model.memory_needed(samples.size()), 0U);
}

TEST(Wrapper, AnswersABatchAsASessionDoes) {
  auto model = bittern::api::Model::open(kModel);
  bittern::api::Batch batch(model, 2);
  bittern::api::Session session(model);
  std::vector<std::vector<float>> samples;
  std::vector<bittern_clip> clips;
  for (const float level : {0.25F, -0.5F, 0.0F}) samples.emplace_back(model.info().window_samples, level);
  clips.reserve(samples.size());
  for (const auto& clip : samples) clips.push_back({clip.data(), clip.size()});
  const bittern_result* const answers = batch.classify(clips.data(), clips.size());
  for (std::size_t i = 0; i < clips.size(); ++i) {
    const bittern_result& alone = session.classify(clips[i].samples, clips[i].count);
    EXPECT_EQ(answers[i].label, alone.label);
    EXPECT_EQ(answers[i].probability, alone.probability);
  }
  clips[1].count = 0;
  EXPECT_THROW(batch.classify(clips.data(), clips.size()), bittern::api::Failure);
}

TEST(Wrapper, ThrowsWhatTheLibrarySays) {
  try {
    bittern::api::Model::open("no such file");
    FAIL();
  } catch (const bittern::api::Failure& failure) {
    EXPECT_EQ(failure.status(), BITTERN_NOT_FOUND);
    EXPECT_NE(std::string(failure.what()).find("no such file"), std::string::npos);
  }
  auto model = bittern::api::Model::open(kModel);
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.rule = "hope";
  EXPECT_THROW(bittern::api::Session(model, options), bittern::api::Failure);
  bittern::api::Session session(model);
  EXPECT_THROW(session.classify(nullptr, 0), bittern::api::Failure);
  EXPECT_THROW(model.self_test(), bittern::api::Failure);  // its digests are made up
}

}  // namespace
