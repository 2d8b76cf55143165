// From samples to an answer: exits, work done, labels allowed, any length of clip, and what is refused.
#include "runtime/session.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "core/aligned.h"
#include "core/random.h"
#include "features/log_mel.h"
#include "model/random_model.h"
#include "runtime/lower.h"
#include "runtime/networks.h"
#include "runtime/segment.h"
#include "support/allocations.h"

namespace bittern::runtime {
namespace {

using exits::Policy;

std::shared_ptr<model::Model> tiny_model() { return model::random_model(model::tiny_network(), 9); }

std::vector<float> random_samples(std::size_t count, std::uint64_t seed) {
  Random random({seed, 23});
  const float level = random.uniform(0.01F, 0.9F);
  const std::uint64_t held = 1 + random.below(40);  // the noise's colour: a new value every so many samples
  std::vector<float> samples(count);
  float value = 0;
  for (std::size_t i = 0; i < count; ++i)
    samples[i] = value = i % held == 0 ? random.uniform(-level, level) : value;
  return samples;
}

Session make(const std::shared_ptr<const model::Model>& model, SessionOptions options = {}) {
  return Session::create(model, options).value();
}

Policy at(int exit) { return Policy::at_exit(exit, 16).value(); }

std::vector<float> logits_of(Session& session, std::span<const float> samples) {
  const model::Model& model = session.model();
  std::vector<float> logits(static_cast<std::size_t>(model.network.exit_count()) * model.labels.size());
  const Status status = session.logits(samples, logits);
  EXPECT_TRUE(status.ok()) << status.error().message;
  return logits;
}

void expect_refused(const Status& status, ErrorCode code, const std::string& message) {
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, code);
  EXPECT_EQ(status.error().message, message);
}

TEST(Session, RunsNothingBehindTheExitTaken) {
  for (const std::string name : {"quicknet-small", "birealnet-18", "binarydensenet-28", "meliusnet-22"}) {
    const auto model = model::random_model(architecture(name), 1);
    const graph::Counts counts = graph::count(model->network);
    const Plan plan = lower(*model, 98).value();
    Session session = make(model);
    const auto samples = random_samples(16000, 1);
    for (int exit = 1; exit <= 5; ++exit) {
      SCOPED_TRACE(name + " exit " + std::to_string(exit));
      Classification result;
      ASSERT_TRUE(session.classify(samples, at(exit), result).ok());
      const graph::ExitCounts& expected = counts.exits[static_cast<std::size_t>(exit) - 1];
      EXPECT_EQ(result.exit, exit);
      EXPECT_EQ(session.trace().stages, exit);
      EXPECT_EQ(session.trace().steps, plan.steps_to(exit));
      EXPECT_EQ(session.trace().macs.binary, expected.cumulative.binary);
      EXPECT_EQ(session.trace().macs.floating, expected.cumulative.floating);
      EXPECT_EQ(result.macs.binary, expected.cumulative.binary);
      EXPECT_EQ(result.macs.floating, expected.cumulative.floating);
      EXPECT_EQ(result.macs_share, expected.share);
    }
    EXPECT_GT(plan.steps_to(5), plan.steps_to(4));
    logits_of(session, samples);
    EXPECT_EQ(session.trace().stages, 5);
  }
}

// classify() says what follows from logits() for every rule and threshold.
TEST(Session, LeavesWhereTheRuleSays) {
  auto model = tiny_model();
  model->temperatures = {0.25F, 0.1F, 1.0F};  // so that every exit is sure of some clips
  Session session = make(model);
  std::vector<int> left(4, 0);
  for (std::uint64_t seed = 0; seed < 40; ++seed) {
    const auto samples = random_samples(3440, seed);
    const std::vector<float> logits = logits_of(session, samples);
    for (const exits::Rule& rule : exits::rules()) {
      for (const float threshold : rule.sweep) {
        std::vector<exits::Answer> answers;
        std::vector<float> p(3);
        for (std::size_t exit = 0; exit < 3; ++exit) {
          exits::softmax(std::span(logits).subspan(exit * 3, 3), model->temperatures[exit], p);
          answers.push_back(exits::answer(p));
          if (rule.leave(answers, threshold)) break;
        }
        Classification result;
        ASSERT_TRUE(
            session.classify(samples, Policy::with_threshold(rule.name, threshold).value(), result).ok());
        ASSERT_EQ(result.exit, static_cast<int>(answers.size())) << rule.name << " " << threshold;
        ASSERT_EQ(result.label, answers.back().label);
        ASSERT_EQ(result.entropy, answers.back().entropy);
        ASSERT_EQ(std::vector<float>(result.probabilities.begin(), result.probabilities.end()), p);
        ++left[answers.size()];
      }
    }
  }
  for (int exit = 1; exit <= 3; ++exit)
    EXPECT_GT(left[static_cast<std::size_t>(exit)], 50) << "exit " << exit;
}

TEST(Session, DefaultPolicyIsTheLastExit) {
  Session session = make(tiny_model());
  Classification result;
  ASSERT_TRUE(session.classify(random_samples(3440, 1), Policy{}, result).ok());
  EXPECT_EQ(result.exit, 3);
}

TEST(Session, RenormalisesOverTheLabelsAllowed) {
  auto model = tiny_model();
  model->temperatures = {20, 20, 20};
  Session session = make(model);
  const auto samples = random_samples(3440, 5);
  Classification all;
  ASSERT_TRUE(session.classify(samples, at(3), all).ok());
  const std::vector<float> free(all.probabilities.begin(), all.probabilities.end());
  for (std::uint8_t mask = 1; mask < 8; ++mask) {
    const std::vector<std::uint8_t> only{static_cast<std::uint8_t>(mask & 1U),
                                         static_cast<std::uint8_t>(mask >> 1U & 1U),
                                         static_cast<std::uint8_t>(mask >> 2U & 1U)};
    Classification result;
    ASSERT_TRUE(session.classify(samples, at(3), result, only).ok());
    float allowed = 0;
    for (std::size_t i = 0; i < 3; ++i) allowed += only[i] != 0 ? free[i] : 0;
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(result.probabilities[i], only[i] != 0 ? free[i] / allowed : 0, 1e-5F);
    }
    EXPECT_EQ(only[static_cast<std::size_t>(result.label)], 1);
  }
}

TEST(Session, CentresAShortClipInSilence) {
  Session session = make(tiny_model());
  const auto samples = random_samples(1001, 6);
  std::vector<float> padded(3440, 0.0F);
  std::copy(samples.begin(), samples.end(), padded.begin() + (3440 - 1001) / 2);
  EXPECT_EQ(logits_of(session, samples), logits_of(session, padded));
  EXPECT_EQ(logits_of(session, std::vector<float>{0.5F}).size(), 9U);
}

TEST(Session, LooksAtAllOfALongClip) {
  auto model = tiny_model();
  Session session = make(model);
  const auto samples = random_samples(9000, 7);
  // The same through features of all frames.
  auto front_end = features::LogMel::create(model->front_end).value();
  std::vector<float> features(static_cast<std::size_t>(model->front_end.frames(9000)) * 16);
  front_end.compute(samples, features);
  std::vector<float> expected(9);
  ASSERT_TRUE(session.logits_from_features(features, expected).ok());
  EXPECT_EQ(logits_of(session, samples), expected);
  EXPECT_GT(session.trace().macs.binary, graph::count(model->network).exits.back().cumulative.binary);
}

TEST(Session, LooksAtTheSegmentChosen) {
  auto model = tiny_model();
  auto samples = random_samples(9000, 8);
  for (std::size_t i = 5000; i < 8440; ++i) samples[i] *= 1.1F;
  Session plain = make(model);
  for (const Segment segment : {Segment::kCentre, Segment::kLoudest}) {
    Session session = make(model, {.segment = segment});
    const auto part = choose_segment(samples, 3440, segment);
    EXPECT_NE(part.data(), samples.data());
    EXPECT_EQ(logits_of(session, samples), logits_of(plain, part));
  }
}

TEST(Session, GivesTheSameWhateverCameBefore) {
  auto model = tiny_model();
  Session used = make(model);
  for (const std::size_t length : {9000U, 3440U, 20U, 40000U, 3440U, 9001U}) {
    const auto samples = random_samples(length, length);
    Session fresh = make(model);
    const auto once = logits_of(used, samples);
    EXPECT_EQ(once, logits_of(fresh, samples)) << length;
    EXPECT_EQ(once, logits_of(used, samples)) << length;
  }
}

TEST(Session, GivesTheSameOnEveryInstructionSet) {
  auto model = tiny_model();
  const auto samples = random_samples(5000, 3);
  Session baseline = make(model, {.isa = Isa::kBaseline});
  const auto expected = logits_of(baseline, samples);
  for (const Isa isa : available_isas()) {
    Session session = make(model, {.isa = isa});
    EXPECT_EQ(logits_of(session, samples), expected) << name(isa);
  }
}

TEST(Session, OnePerThreadMayShareAModel) {
  auto model = tiny_model();
  Session alone = make(model);
  std::vector<std::vector<float>> expected, actual(4);
  for (std::uint64_t i = 0; i < 4; ++i) expected.push_back(logits_of(alone, random_samples(4000, i)));
  std::vector<std::thread> threads;
  for (std::uint64_t i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      Session session = make(model);
      for (int repeat = 0; repeat < 20; ++repeat) actual[i] = logits_of(session, random_samples(4000, i));
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(actual, expected);
}

TEST(Session, KeepsItsModelAlive) {
  auto model = tiny_model();
  Session session = make(model);
  const auto samples = random_samples(3440, 2);
  const auto expected = logits_of(session, samples);
  model.reset();
  Session moved = std::move(session);
  EXPECT_EQ(logits_of(moved, samples), expected);
}

TEST(Session, WorksInMemoryOfTheCallers) {
  auto model = tiny_model();
  const std::size_t small = Session::required_arena_bytes(*model, 3440).value();
  const std::size_t large = Session::required_arena_bytes(*model, 300000).value();
  ASSERT_LT(small, large);
  EXPECT_EQ(Session::required_arena_bytes(*model, 300000, Segment::kCentre).value(), small);
  AlignedBuffer<std::byte> memory(small + 1);
  memory[small] = std::byte{0x5A};
  Session session = make(model, {.arena = memory.span().first(small)});
  EXPECT_EQ(session.arena_bytes(), small);
  const auto samples = random_samples(3440, 4);
  Session own = make(model);
  EXPECT_EQ(logits_of(session, samples), logits_of(own, samples));
  EXPECT_EQ(memory[small], std::byte{0x5A});
  expect_refused(
      session.prepare(300000), ErrorCode::kInvalidArgument,
      "the arena given has " + std::to_string(small) + " bytes; this length needs " + std::to_string(large));
  EXPECT_EQ(logits_of(session, samples), logits_of(own, samples));
  EXPECT_FALSE(Session::create(model, {.arena = memory.span().first(small - 1)}).ok());
  EXPECT_FALSE(Session::create(model, {.arena = memory.span().subspan(1)}).ok());
}

// Also where a longer clip needs less than the window, which a session always plans for.
TEST(Session, WorksInAsMuchMemoryAsItAskedFor) {
  int less = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const auto model = model::random_model(random_network(seed, 5 + static_cast<int>(seed % 30)), seed);
    const std::int64_t window = model->front_end.clip_samples;
    for (int more = 1; more < 8; ++more) {
      const std::int64_t samples = window + std::int64_t{more} * model->front_end.hop;
      const int frames = model->front_end.frames(samples);
      const auto bytes = Session::required_arena_bytes(*model, samples);
      const std::size_t work_floats =
          features::LogMel::create_without_memory(model->front_end).value().work_floats();
      if (!bytes.ok()) continue;  // the network takes some lengths only
      if (lower(*model, frames, {.front_end_floats = work_floats}).value().arena_bytes == *bytes) continue;
      ++less;
      AlignedBuffer<std::byte> memory(*bytes);
      auto session = Session::create(model, {.arena = memory.span()});
      ASSERT_TRUE(session.ok()) << session.error().message;
      EXPECT_TRUE(session->prepare(samples).ok());
    }
  }
  EXPECT_GT(less, 0);
}

TEST(Session, GoesOnAfterMemoryWasShort) {
  auto model = tiny_model();
  Session session = make(model);
  const auto samples = random_samples(3440, 4);
  const auto expected = logits_of(session, samples);
  const std::size_t arena = session.arena_bytes();
  const std::size_t larger = Session::required_arena_bytes(*model, 300000).value();
  ASSERT_LT(arena, larger);
  largest_allocation() = larger - 1;
  const Status refused = session.prepare(300000);
  largest_allocation() = SIZE_MAX;
  expect_refused(refused, ErrorCode::kOutOfMemory,
                 "no memory for an arena of " + std::to_string(larger) + " bytes");
  EXPECT_EQ(session.arena_bytes(), arena);
  EXPECT_EQ(logits_of(session, samples), expected);
  EXPECT_TRUE(session.prepare(300000).ok());
  EXPECT_EQ(session.arena_bytes(), larger);
}

TEST(Session, RefusesSamplesThatAreNotNumbers) {
  Session session = make(tiny_model());
  Classification result;
  expect_refused(session.classify({}, Policy{}, result), ErrorCode::kInvalidArgument,
                 "the clip has no samples");
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(),
                          -std::numeric_limits<float>::infinity()}) {
    auto samples = random_samples(9000, 1);
    samples[8999] = bad;
    expect_refused(session.classify(samples, Policy{}, result), ErrorCode::kInvalidArgument,
                   "sample 8999 is not a finite number");
  }
}

// The classic mistake, and what would overflow in the spectrum.
TEST(Session, RefusesSamplesFarBeyondFullScale) {
  Session session = make(tiny_model());
  for (const float bad : {1025.0F, -32768.0F, std::numeric_limits<float>::max()}) {
    auto samples = random_samples(3440, 1);
    samples[17] = bad;
    Classification result;
    expect_refused(session.classify(samples, Policy{}, result), ErrorCode::kInvalidArgument,
                   "sample 17 is far beyond full scale, -1 to 1; divide 16-bit samples by 32768");
    samples[17] = 1024.0F;
    EXPECT_TRUE(session.classify(samples, Policy{}, result).ok());
  }
}

TEST(Session, RefusesClipsThatAreTooLong) {
  const auto model = tiny_model();
  Session session = make(model);
  const std::int64_t limit = 400 + 160 * 65535LL + 159;
  expect_refused(session.prepare(limit + 1), ErrorCode::kInvalidArgument,
                 "a clip of " + std::to_string(limit + 1) + " samples is too long; give at most " +
                     std::to_string(limit) + ", or look at a segment only");
  EXPECT_FALSE(session.prepare(std::numeric_limits<std::int64_t>::max()).ok());
  EXPECT_FALSE(session.prepare(0).ok());
  EXPECT_FALSE(session.prepare(-5).ok());
}

TEST(Session, RefusesPoliciesAndMasksThatMakeNoSense) {
  Session session = make(tiny_model());
  const auto samples = random_samples(3440, 1);
  Classification result;
  expect_refused(session.classify(samples, at(4), result), ErrorCode::kInvalidArgument,
                 "there is no exit 4; give a number from 1 to 3");
  EXPECT_FALSE(session.classify(samples, Policy{.exit = -1}, result).ok());
  expect_refused(session.classify(samples, at(1), result, std::vector<std::uint8_t>{1, 1}),
                 ErrorCode::kInvalidArgument, "the mask of labels has 2 entries, the model has 3 labels");
  expect_refused(session.classify(samples, at(1), result, std::vector<std::uint8_t>{0, 0, 0}),
                 ErrorCode::kInvalidArgument, "the mask of labels allows none; allow at least one");
}

TEST(Session, RefusesFeaturesAndOutputsOfTheWrongSize) {
  Session session = make(tiny_model());
  std::vector<float> logits(9);
  std::vector<float> features(std::size_t{20} * 16, 0.0F);
  EXPECT_TRUE(session.logits_from_features(features, logits).ok());
  expect_refused(session.logits_from_features(std::span(features).first(17), logits),
                 ErrorCode::kInvalidArgument, "features have 17 values; give whole frames of 16");
  EXPECT_FALSE(session.logits_from_features({}, logits).ok());
  features[33] = std::numeric_limits<float>::quiet_NaN();
  expect_refused(session.logits_from_features(features, logits), ErrorCode::kInvalidArgument,
                 "feature 33 is not a finite number");
  expect_refused(session.logits(random_samples(3440, 1), std::span(logits).first(8)),
                 ErrorCode::kInvalidArgument, "logits of all exits are 9 values, there is room for 8");
}

// Finite weights can still overflow: an error, not an answer.
TEST(Session, RefusesLogitsThatAreNotFinite) {
  auto model = tiny_model();
  const int exit = model->network.exits()[1];
  const std::vector<float> huge(model->weights[static_cast<std::size_t>(exit)].norm_scale.size(), 3e38F);
  const std::vector<float> scale(3, 3e38F);
  model->weights[static_cast<std::size_t>(exit)].norm_scale = huge;
  model->weights[static_cast<std::size_t>(exit)].scale = scale;
  Session session = make(model);
  Classification result;
  EXPECT_TRUE(session.classify(random_samples(3440, 1), at(1), result).ok());
  const Status status = session.classify(random_samples(3440, 1), at(2), result);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(status.error().message.find("exit 2 gives a logit that is not finite"), std::string::npos);
  std::vector<float> logits(9);
  EXPECT_FALSE(session.logits(random_samples(3440, 1), logits).ok());
}

TEST(Session, RefusesAnInstructionSetThatThisMachineLacks) {
  const auto isas = available_isas();
  if (isas.back() == Isa::kAvx512Dl) GTEST_SKIP() << "this machine has every instruction set";
  const auto refused = Session::create(tiny_model(), {.isa = Isa::kAvx512Dl});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnsupported);
}

TEST(Session, NeedsAModel) { EXPECT_FALSE(Session::create(nullptr).ok()); }

}  // namespace
}  // namespace bittern::runtime
