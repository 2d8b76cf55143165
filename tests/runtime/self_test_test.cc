// The check that a model carries passes on every instruction set and names what was tampered with.
#include "runtime/self_test.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/checksum.h"
#include "features/log_mel.h"
#include "model/random_model.h"
#include "runtime/networks.h"
#include "runtime/reference.h"

namespace bittern::runtime {
namespace {

std::shared_ptr<model::Model> tested_model(const graph::Network& network) {
  auto model = model::random_model(network, 31);
  model->self_test = compute_self_test(model).value();
  return model;
}

std::string failure(const std::shared_ptr<model::Model>& model) {
  const Status status = run_self_test(model);
  if (status.ok()) return "passed";
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  return status.error().message;
}

void expect_names(const std::shared_ptr<model::Model>& model, const std::string& what) {
  const std::string message = failure(model);
  EXPECT_EQ(message.rfind("self-test failed: " + what + " differs", 0), 0U) << message;
}

TEST(SelfTest, PassesOnEveryInstructionSet) {
  for (const std::string name : {"quicknet-small", "meliusnet-22"}) {
    const auto model = tested_model(architecture(name));
    for (const Isa isa : available_isas()) {
      const Status status = run_self_test(model, isa);
      EXPECT_TRUE(status.ok()) << status.error().message;
    }
  }
}

// Fixed for ever: models carry digests of what follows from it.
constexpr std::uint64_t kAudioChecksum = 17109283297736358497U;

TEST(SelfTest, AudioIsWhatItWas) {
  const std::vector<float> audio = self_test_audio({});
  ASSERT_EQ(audio.size(), 16000U);
  std::set<float> values;
  for (const float x : audio) {
    ASSERT_EQ(x * 32768.0F, static_cast<float>(static_cast<int>(x * 32768.0F)));
    ASSERT_LE(x, 1.0F);
    ASSERT_GE(x, -1.0F);
    values.insert(x);
  }
  EXPECT_GT(values.size(), 4000U);
  EXPECT_EQ(checksum(std::as_bytes(std::span(audio))), kAudioChecksum);
  EXPECT_EQ(audio[8000], 0.0F);
}

// What is digested: the features, each tensor that an exit reads, all logits, as little-endian floats in
// order.
TEST(SelfTest, DigestsAreOverWhatTheReferenceComputes) {
  const auto model = tested_model(model::tiny_network());
  auto front_end = features::LogMel::create(model->front_end).value();
  std::vector<float> features(std::size_t{20} * 16);
  front_end.compute(self_test_audio(model->front_end), features);
  Reference reference(*model, model->network);
  reference.run(features);
  const auto digest = [](const std::vector<float>& values) {
    return checksum(std::as_bytes(std::span(values)));
  };
  EXPECT_EQ(model->self_test->features, digest(features));
  EXPECT_EQ(model->self_test->logits, digest(reference.logits()));
  for (std::size_t s = 0; s < 3; ++s) {
    const int read = model->network.layer(model->network.exits()[s]).inputs.front();
    EXPECT_EQ(model->self_test->stages[s], digest(reference.tensors()[static_cast<std::size_t>(read)].data));
  }
}

TEST(SelfTest, AudioHasTheClipsLength) {
  features::LogMelSpec spec;
  spec.clip_samples = 401;
  EXPECT_EQ(self_test_audio(spec).size(), 401U);
}

TEST(SelfTest, NamesTheFeatures) {
  const auto model = tested_model(architecture("quicknet-small"));
  model->front_end.low_hz = 61.0F;
  expect_names(model, "features");
}

TEST(SelfTest, NamesTheStageOfAWeightThatChanged) {
  const auto model = tested_model(architecture("quicknet-small"));
  const graph::Network& network = model->network;
  const auto whole = model->weights;
  int stage = 1;
  int tried = 0;
  for (int i = 1; i < static_cast<int>(network.layers().size()); ++i) {
    if (std::holds_alternative<graph::Exit>(network.layer(i).op)) ++stage;
    const auto* conv = std::get_if<graph::BinaryConv2d>(&network.layer(i).op);
    if (conv == nullptr) continue;
    model::LayerWeights& weights = model->weights[static_cast<std::size_t>(i)];
    std::vector<std::uint64_t> bits(weights.bits.begin(), weights.bits.end());
    // The middle tap of the first eight output channels, the other way round.
    const int words = words_for(network.input_of(i).channels);
    for (int lane = 0; lane < kBlockLanes; ++lane) {
      for (int word = 0; word < words; ++word)
        bits[packed_kernel_index(lane, 4, word, 9, words)] ^= 0xFFFFFFFFU;
    }
    AlignedBuffer<std::uint64_t> changed(bits.size());
    std::copy(bits.begin(), bits.end(), changed.data());
    weights.bits = changed.span();
    const int exit = network.exits()[static_cast<std::size_t>(stage) - 1];
    expect_names(model, "stage " + std::to_string(stage) + " (" +
                            network.layer(network.layer(exit).inputs.front()).name + ")");
    model->weights = whole;
    ++tried;
  }
  EXPECT_EQ(tried, 16);
  EXPECT_EQ(failure(model), "passed");
}

TEST(SelfTest, NamesTheLogits) {
  const auto model = tested_model(model::tiny_network());
  const auto exit = static_cast<std::size_t>(model->network.exits()[1]);
  std::vector<float> bias(model->weights[exit].bias.begin(), model->weights[exit].bias.end());
  bias[2] += 0.25F;
  model->weights[exit].bias = bias;
  expect_names(model, "logits");
}

TEST(SelfTest, SaysWhereThereIsNone) {
  const auto model = model::random_model(model::tiny_network(), 1);
  const Status status = run_self_test(model);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
  EXPECT_FALSE(run_self_test(nullptr).ok());
  EXPECT_FALSE(compute_self_test(nullptr).ok());
}

TEST(SelfTest, RefusesADifferentNumberOfStages) {
  const auto model = tested_model(model::tiny_network());
  model->self_test->stages.pop_back();
  EXPECT_NE(failure(model).find("has 2 stages, the model has 3 exits"), std::string::npos);
}

}  // namespace
}  // namespace bittern::runtime
