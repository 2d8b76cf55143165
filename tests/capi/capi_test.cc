#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <limits>
#include <thread>

#include "bittern/bittern.h"
#include "core/aligned.h"
#include "core/random.h"
#include "model/file.h"
#include "model/random_model.h"
#include "runtime/self_test.h"
#include "runtime/session.h"
#include "support/allocations.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

struct CloseModel {
  void operator()(bittern_model* model) const { bittern_close(model); }
};
struct CloseSession {
  void operator()(bittern_session* session) const { bittern_session_close(session); }
};
using ModelHandle = std::unique_ptr<bittern_model, CloseModel>;
using SessionHandle = std::unique_ptr<bittern_session, CloseSession>;

std::vector<float> noise(std::size_t count, std::uint64_t seed) {
  Random random{seed};
  std::vector<float> samples(count);
  for (float& sample : samples) sample = random.uniform(-0.5F, 0.5F);
  return samples;
}

ModelHandle open_bytes(std::span<const std::byte> bytes) {
  bittern_model* model = nullptr;
  char error[256] = "";
  EXPECT_EQ(bittern_open_memory(bytes.data(), bytes.size(), &model, error, sizeof(error)), BITTERN_OK)
      << error;
  return ModelHandle(model);
}

class CApi : public testing::Test {
 protected:
  CApi()
      : made_(model::random_model(model::tiny_network(), 12)),
        model_(open_bytes(model::serialize(*made_).value())) {}

  SessionHandle session(const bittern_options& options) const {
    bittern_session* opened = nullptr;
    char error[256] = "";
    EXPECT_EQ(bittern_session_open(model_.get(), &options, &opened, error, sizeof(error)), BITTERN_OK)
        << error;
    return SessionHandle(opened);
  }
  // The status of opening a session, and what is said about it.
  std::pair<bittern_status, std::string> refusal(const bittern_options& options) const {
    bittern_session* opened = nullptr;
    char error[256] = "";
    const bittern_status status = bittern_session_open(model_.get(), &options, &opened, error, sizeof(error));
    EXPECT_EQ(opened, nullptr);
    return {status, error};
  }
  std::size_t window() const { return bittern_get_info(model_.get())->window_samples; }

  std::shared_ptr<model::Model> made_;
  ModelHandle model_;
};

TEST_F(CApi, SaysItsVersion) { EXPECT_STREQ(bittern_version(), BITTERN_VERSION); }

TEST_F(CApi, SaysWhatTheModelIs) {
  const bittern_info* info = bittern_get_info(model_.get());
  EXPECT_EQ(info->sample_rate, 16000);
  EXPECT_EQ(info->window_samples, static_cast<std::size_t>(made_->front_end.clip_samples));
  ASSERT_EQ(info->label_count, 3);
  EXPECT_STREQ(info->labels[2], "label-2");
  EXPECT_EQ(info->exit_count, 3);
  EXPECT_STREQ(info->architecture, "tiny");
  EXPECT_EQ(info->format_major, model::kFormatMajor);
  EXPECT_EQ(bittern_get_info(nullptr), nullptr);
}

TEST_F(CApi, OpensFromAFileAndFromBytesAtAnyAddress) {
  const fs::path path = fs::temp_directory_path() / ("bittern-capi-" + std::to_string(::getpid()));
  ASSERT_TRUE(model::save(*made_, path).ok());
  bittern_model* opened = nullptr;
  EXPECT_EQ(bittern_open(path.c_str(), &opened, nullptr, 0), BITTERN_OK);
  fs::remove(path);
  ASSERT_NE(opened, nullptr);
  EXPECT_STREQ(bittern_get_info(opened)->labels[0], "label-0");
  bittern_close(opened);

  const auto file = model::serialize(*made_).value();
  for (const std::size_t shift : {1U, 4U, 32U}) {
    std::vector<std::byte> moved(file.size() + shift);
    std::memcpy(moved.data() + shift, file.data(), file.size());
    const ModelHandle handle = open_bytes(std::span(moved).subspan(shift));
    moved.assign(moved.size(), std::byte{0xAA});  // the copy must not mind
    EXPECT_STREQ(bittern_get_info(handle.get())->labels[1], "label-1");
  }
}

TEST_F(CApi, FailedOpensSayWhyInTheRoomGiven) {
  bittern_model* opened = nullptr;
  char error[256] = "";
  EXPECT_EQ(bittern_open("/no/such/model", &opened, error, sizeof(error)), BITTERN_NOT_FOUND);
  EXPECT_NE(std::string(error).find("/no/such/model"), std::string::npos) << error;
  EXPECT_EQ(bittern_open("/", &opened, error, sizeof(error)), BITTERN_INVALID_ARGUMENT);
  auto file = model::serialize(*made_).value();
  EXPECT_EQ(bittern_open_memory(file.data(), file.size() - 1, &opened, error, sizeof(error)),
            BITTERN_CORRUPT);
  EXPECT_NE(std::string(error).find("truncated"), std::string::npos) << error;
  EXPECT_EQ(bittern_open_memory(nullptr, 0, &opened, error, sizeof(error)), BITTERN_CORRUPT);
  EXPECT_EQ(bittern_open_memory(nullptr, 5, &opened, error, sizeof(error)), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_open("x", nullptr, error, sizeof(error)), BITTERN_INVALID_ARGUMENT);
  char small[5] = "####";
  EXPECT_EQ(bittern_open("/no/such/model", &opened, small, sizeof(small)), BITTERN_NOT_FOUND);
  EXPECT_STREQ(small, "/no/");
  EXPECT_EQ(bittern_open("/no/\xC3\xA4", &opened, small, sizeof(small)), BITTERN_NOT_FOUND);
  EXPECT_STREQ(small, "/no/");
  char tiny[1] = {'#'};
  EXPECT_EQ(bittern_open("/no/such/model", &opened, tiny, sizeof(tiny)), BITTERN_NOT_FOUND);
  EXPECT_EQ(tiny[0], '\0');
  EXPECT_EQ(opened, nullptr);
}

TEST_F(CApi, AnswersAsTheRuntimeDoesUnderEveryRule) {
  const std::shared_ptr<const model::Model> shared = made_;
  for (const exits::Rule& rule : exits::rules()) {
    for (const float threshold : rule.sweep) {
      SCOPED_TRACE(std::string(rule.name) + " " + std::to_string(threshold));
      const std::string name(rule.name);
      bittern_options options = BITTERN_OPTIONS_INIT;
      options.rule = name.c_str();
      options.threshold = threshold;
      const SessionHandle ours = session(options);
      auto theirs = runtime::Session::create(shared).value();
      const auto policy = exits::Policy::with_threshold(rule.name, threshold).value();
      for (std::uint64_t seed = 0; seed < 4; ++seed) {
        const std::vector<float> samples = noise(window() + 500 * seed, seed);
        const bittern_result* result = nullptr;
        ASSERT_EQ(bittern_classify(ours.get(), samples.data(), samples.size(), &result), BITTERN_OK);
        runtime::Classification expected;
        ASSERT_TRUE(theirs.classify(samples, policy, expected).ok());
        EXPECT_EQ(result->label, expected.label);
        EXPECT_EQ(result->exit, expected.exit);
        EXPECT_EQ(result->entropy, expected.entropy);
        EXPECT_EQ(result->probability, expected.probabilities[static_cast<std::size_t>(expected.label)]);
        EXPECT_TRUE(
            std::equal(expected.probabilities.begin(), expected.probabilities.end(), result->probabilities));
        EXPECT_EQ(result->macs_share, expected.macs_share);
        EXPECT_EQ(result->macs_binary, expected.macs.binary);
        EXPECT_EQ(result->macs_float, expected.macs.floating);
      }
    }
  }
}

// Both ways of asking about one exit agree in every field, for clips of every length.
TEST_F(CApi, EveryExitSaysWhatASessionFixedToItSays) {
  for (const bittern_segment segment : {BITTERN_WHOLE, BITTERN_CENTRE, BITTERN_LOUDEST}) {
    for (const std::size_t count : {std::size_t{100}, window(), window() + 3000}) {
      const std::vector<float> samples = noise(count, count);
      bittern_options options = BITTERN_OPTIONS_INIT;
      options.segment = segment;
      const SessionHandle all = session(options);
      ASSERT_EQ(bittern_classify_exits(all.get(), samples.data(), count), BITTERN_OK)
          << bittern_session_error(all.get());
      options.rule = nullptr;
      for (options.exit = 1; options.exit <= 3; ++options.exit) {
        const SessionHandle fixed = session(options);
        const bittern_result* result = nullptr;
        ASSERT_EQ(bittern_classify(fixed.get(), samples.data(), count, &result), BITTERN_OK);
        const bittern_result* same = bittern_exit_result(all.get(), options.exit);
        ASSERT_NE(same, nullptr);
        EXPECT_EQ(result->exit, options.exit);
        EXPECT_EQ(same->exit, options.exit);
        EXPECT_EQ(same->label, result->label);
        EXPECT_EQ(same->probability, result->probability);
        EXPECT_EQ(same->entropy, result->entropy);
        EXPECT_TRUE(std::equal(same->probabilities, same->probabilities + 3, result->probabilities));
        EXPECT_EQ(same->macs_share, result->macs_share);
        EXPECT_EQ(same->macs_binary, result->macs_binary);
        EXPECT_EQ(same->macs_float, result->macs_float);
      }
    }
  }
}

TEST_F(CApi, ExitResultsAreThoseOfTheLatestCallOnly) {
  const SessionHandle handle = session(BITTERN_OPTIONS_INIT);
  const std::vector<float> samples = noise(window(), 1);
  const bittern_result* result = nullptr;
  EXPECT_EQ(bittern_exit_result(handle.get(), 1), nullptr);
  ASSERT_EQ(bittern_classify_exits(handle.get(), samples.data(), samples.size()), BITTERN_OK);
  EXPECT_NE(bittern_exit_result(handle.get(), 1), nullptr);
  EXPECT_EQ(bittern_exit_result(handle.get(), 0), nullptr);
  EXPECT_EQ(bittern_exit_result(handle.get(), 4), nullptr);
  EXPECT_EQ(bittern_exit_result(handle.get(), -1), nullptr);
  ASSERT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
  EXPECT_EQ(bittern_exit_result(handle.get(), 1), nullptr);
  ASSERT_EQ(bittern_classify_exits(handle.get(), samples.data(), samples.size()), BITTERN_OK);
  EXPECT_NE(bittern_classify_exits(handle.get(), samples.data(), 0), BITTERN_OK);
  EXPECT_EQ(bittern_exit_result(handle.get(), 1), nullptr);
}

TEST_F(CApi, ThresholdsPerExitAndOperatingPointsDecide) {
  // Entropy of three labels is at most ln 3: above that everything leaves, below 0 nothing.
  const std::vector<float> samples = noise(window(), 2);
  const bittern_result* result = nullptr;
  const float second[] = {0.0F, 2.0F, 2.0F};
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.thresholds = second;
  const SessionHandle per_exit = session(options);
  ASSERT_EQ(bittern_classify(per_exit.get(), samples.data(), samples.size(), &result), BITTERN_OK);
  EXPECT_EQ(result->exit, 2);

  made_->operating_points = {{"third", "entropy", {0.0F, 0.0F, 2.0F}, ""},
                             {"first", "entropy", {2.0F, 0.0F, 0.0F}, "soon"}};
  model_ = open_bytes(model::serialize(*made_).value());
  for (const auto& [name, exit] : {std::pair{"third", 3}, std::pair{"first", 1}}) {
    options = BITTERN_OPTIONS_INIT;
    options.operating_point = name;
    const SessionHandle handle = session(options);
    ASSERT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
    EXPECT_EQ(result->exit, exit);
  }
  const bittern_info& info = *bittern_get_info(model_.get());
  ASSERT_EQ(info.operating_point_count, 2);
  EXPECT_STREQ(info.operating_points[0].name, "third");
  EXPECT_STREQ(info.operating_points[1].name, "first");
  EXPECT_STREQ(info.operating_points[1].promise, "soon");
  options.operating_point = "fourth";
  EXPECT_EQ(refusal(options).first, BITTERN_NOT_FOUND);
  EXPECT_NE(refusal(options).second.find("fourth"), std::string::npos);
}

TEST_F(CApi, OnlySomeLabelsMayBeAsked) {
  const unsigned char only[] = {1, 0, 1};
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.only = only;
  const SessionHandle handle = session(options);
  const std::vector<float> samples = noise(window(), 3);
  const bittern_result* result = nullptr;
  ASSERT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
  EXPECT_EQ(result->probabilities[1], 0.0F);
  EXPECT_NEAR(result->probabilities[0] + result->probabilities[2], 1.0F, 1e-6F);
  ASSERT_EQ(bittern_classify_exits(handle.get(), samples.data(), samples.size()), BITTERN_OK);
  for (int exit = 1; exit <= 3; ++exit)
    EXPECT_EQ(bittern_exit_result(handle.get(), exit)->probabilities[1], 0.0F);
}

TEST_F(CApi, OptionsThatMakeNoSenseAreRefused) {
  const unsigned char none[] = {0, 0, 0};
  const unsigned char two[] = {0, 2, 0};
  const float bad_thresholds[] = {0.5F, kNan, 0.5F};
  const auto with = [](auto change) {
    bittern_options options = BITTERN_OPTIONS_INIT;
    change(options);
    return options;
  };
  for (const bittern_options& options :
       {with([](auto& o) { o.threshold = kNan; }), with([](auto& o) { o.threshold = -1.0F; }),
        with([&](auto& o) { o.thresholds = bad_thresholds; }), with([](auto& o) {
          o.rule = nullptr;
          o.exit = 4;
        }),
        with([](auto& o) {
          o.rule = nullptr;
          o.exit = -1;
        }),
        with([](auto& o) { o.segment = 3; }), with([&](auto& o) { o.only = none; }),
        with([&](auto& o) { o.only = two; }), with([](auto& o) { o.struct_size = 0; })}) {
    const auto [status, text] = refusal(options);
    EXPECT_EQ(status, BITTERN_INVALID_ARGUMENT) << text;
    EXPECT_FALSE(text.empty());
  }
  EXPECT_EQ(refusal(with([](auto& o) { o.rule = "hope"; })).first, BITTERN_NOT_FOUND);
  EXPECT_EQ(refusal(with([](auto& o) { ++o.struct_size; })).first, BITTERN_UNSUPPORTED);
  EXPECT_EQ(bittern_session_open(model_.get(), nullptr, nullptr, nullptr, 0), BITTERN_INVALID_ARGUMENT);
  bittern_session* opened = nullptr;
  EXPECT_EQ(bittern_session_open(nullptr, nullptr, &opened, nullptr, 0), BITTERN_INVALID_ARGUMENT);
}

// A program compiled when the struct was shorter.
TEST_F(CApi, FieldsThatAnOlderCallerDoesNotHaveKeepTheirDefaults) {
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.struct_size = offsetof(bittern_options, segment);
  options.segment = 77;  // whatever lies behind the caller's struct
  options.only = reinterpret_cast<const unsigned char*>(1);
  options.memory = reinterpret_cast<void*>(1);
  const SessionHandle handle = session(options);
  const std::vector<float> samples = noise(window(), 4);
  const bittern_result* result = nullptr;
  EXPECT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
}

TEST_F(CApi, SamplesThatMakeNoSenseAreRefusedAndTheSessionGoesOn) {
  const SessionHandle handle = session(BITTERN_OPTIONS_INIT);
  std::vector<float> samples = noise(window(), 5);
  const bittern_result* result = nullptr;
  EXPECT_STREQ(bittern_session_error(handle.get()), "");
  EXPECT_EQ(bittern_classify(handle.get(), nullptr, 0, &result), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_classify(handle.get(), nullptr, 10, &result), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_classify(handle.get(), samples.data(), SIZE_MAX, &result), BITTERN_INVALID_ARGUMENT);
  for (const float bad : {kNan, std::numeric_limits<float>::infinity()}) {
    samples[77] = bad;
    EXPECT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result),
              BITTERN_INVALID_ARGUMENT);
    EXPECT_NE(std::string(bittern_session_error(handle.get())).find("77"), std::string::npos);
  }
  EXPECT_EQ(result, nullptr);
  std::vector<float> good(samples.size(), 0.25F);
  ASSERT_EQ(bittern_classify_exits(handle.get(), good.data(), good.size()), BITTERN_OK);
  ASSERT_NE(bittern_exit_result(handle.get(), 1), nullptr);
  EXPECT_EQ(bittern_classify(handle.get(), good.data(), good.size(), nullptr), BITTERN_INVALID_ARGUMENT);
  EXPECT_NE(std::string(bittern_session_error(handle.get())).find("NULL"), std::string::npos);
  EXPECT_EQ(bittern_exit_result(handle.get(), 1), nullptr);
  EXPECT_EQ(bittern_classify(nullptr, samples.data(), samples.size(), &result), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_classify_exits(nullptr, samples.data(), samples.size()), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_exit_result(nullptr, 1), nullptr);
  EXPECT_STREQ(bittern_session_error(nullptr), "");
  samples[77] = 0.0F;
  EXPECT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
}

TEST_F(CApi, WorksInMemoryOfTheCallers) {
  std::size_t bytes = 0;
  ASSERT_EQ(bittern_memory_needed(model_.get(), window(), BITTERN_WHOLE, &bytes, nullptr, 0), BITTERN_OK);
  ASSERT_GT(bytes, 0U);
  std::size_t longer = 0;
  ASSERT_EQ(bittern_memory_needed(model_.get(), 100 * window(), BITTERN_WHOLE, &longer, nullptr, 0),
            BITTERN_OK);
  EXPECT_GT(longer, bytes);
  std::size_t centre = 0;
  ASSERT_EQ(bittern_memory_needed(model_.get(), 100 * window(), BITTERN_CENTRE, &centre, nullptr, 0),
            BITTERN_OK);
  EXPECT_EQ(centre, bytes);
  char error[256] = "";
  EXPECT_EQ(bittern_memory_needed(model_.get(), SIZE_MAX, BITTERN_WHOLE, &bytes, error, sizeof(error)),
            BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_memory_needed(nullptr, 1, BITTERN_WHOLE, &bytes, nullptr, 0), BITTERN_INVALID_ARGUMENT);

  AlignedBuffer<std::byte> memory(bytes + 64);
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.memory = memory.data();
  options.memory_size = bytes;
  const SessionHandle handle = session(options);
  const std::vector<float> samples = noise(window(), 6);
  const bittern_result* result = nullptr;
  ASSERT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
  const SessionHandle own = session(BITTERN_OPTIONS_INIT);
  const bittern_result* same = nullptr;
  ASSERT_EQ(bittern_classify(own.get(), samples.data(), samples.size(), &same), BITTERN_OK);
  EXPECT_EQ(result->probability, same->probability);

  options.memory_size = bytes - 1;
  EXPECT_EQ(refusal(options).first, BITTERN_INVALID_ARGUMENT);
  options.memory_size = 0;
  EXPECT_EQ(refusal(options).first, BITTERN_INVALID_ARGUMENT);
  options.memory = memory.data() + 8;
  options.memory_size = bytes;
  EXPECT_EQ(refusal(options).first, BITTERN_INVALID_ARGUMENT);
}

TEST_F(CApi, ClassifyingAllocatesNothing) {
  const SessionHandle handle = session(BITTERN_OPTIONS_INIT);
  const std::vector<float> samples = noise(window(), 7);
  const bittern_result* result = nullptr;
  const std::size_t before = allocations();
  const bittern_status all = bittern_classify_exits(handle.get(), samples.data(), samples.size());
  const bittern_status one = bittern_classify(handle.get(), samples.data(), samples.size(), &result);
  const std::size_t after = allocations();
  EXPECT_EQ(one, BITTERN_OK);
  EXPECT_EQ(all, BITTERN_OK);
  EXPECT_EQ(after - before, 0U);
  EXPECT_GT(after, 0U);  // the counter counts
}

TEST_F(CApi, ASessionOutlivesItsModel) {
  const SessionHandle handle = session(BITTERN_OPTIONS_INIT);
  const std::vector<float> samples = noise(window(), 8);
  const bittern_result* result = nullptr;
  ASSERT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
  const float before = result->probability;
  model_.reset();
  ASSERT_EQ(bittern_classify(handle.get(), samples.data(), samples.size(), &result), BITTERN_OK);
  EXPECT_EQ(result->probability, before);
}

TEST_F(CApi, ThreadsWithSessionsOfTheirOwnShareAModel) {
  const std::vector<float> samples = noise(window(), 9);
  std::vector<float> entropies(4);
  std::vector<std::thread> threads;
  threads.reserve(entropies.size());
  for (float& entropy : entropies) {
    threads.emplace_back([&] {
      const SessionHandle handle = session(BITTERN_OPTIONS_INIT);
      const bittern_result* result = nullptr;
      for (int i = 0; i < 20; ++i) {
        if (bittern_classify(handle.get(), samples.data(), samples.size(), &result) != BITTERN_OK) return;
      }
      entropy = result->entropy;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_GT(entropies[0], 0.0F);
  for (const float entropy : entropies) EXPECT_EQ(entropy, entropies[0]);
}

TEST_F(CApi, ABatchAnswersAsASessionDoes) {
  std::vector<std::vector<float>> samples;
  for (std::uint64_t i = 0; i < 30; ++i) samples.push_back(noise(window() / 2 + 700 * i, i));
  std::vector<bittern_clip> clips;
  clips.reserve(samples.size());
  for (const std::vector<float>& clip : samples) clips.push_back({clip.data(), clip.size()});
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.threshold = 1.05F;
  const SessionHandle alone = session(options);
  for (const int threads : {1, 3}) {
    bittern_batch* batch = nullptr;
    char error[256] = "";
    ASSERT_EQ(bittern_batch_open(model_.get(), &options, threads, &batch, error, sizeof(error)), BITTERN_OK)
        << error;
    const bittern_result* results = nullptr;
    EXPECT_EQ(bittern_batch_classify(batch, nullptr, 0, &results), BITTERN_OK);
    ASSERT_EQ(bittern_batch_classify(batch, clips.data(), clips.size(), &results), BITTERN_OK);
    EXPECT_STREQ(bittern_batch_error(batch), "");
    const auto expect_answer = [&](std::size_t i) {
      const bittern_result* expected = nullptr;
      ASSERT_EQ(bittern_classify(alone.get(), clips[i].samples, clips[i].count, &expected), BITTERN_OK);
      EXPECT_EQ(results[i].label, expected->label);
      EXPECT_EQ(results[i].exit, expected->exit);
      EXPECT_EQ(results[i].entropy, expected->entropy);
      EXPECT_EQ(results[i].macs_binary, expected->macs_binary);
      EXPECT_TRUE(
          std::equal(results[i].probabilities, results[i].probabilities + 3, expected->probabilities));
    };
    for (std::size_t i = 0; i < clips.size(); ++i) expect_answer(i);

    std::vector<bittern_clip> some_bad = clips;
    some_bad[4].count = 0;
    some_bad[9].samples = nullptr;
    EXPECT_EQ(bittern_batch_classify(batch, some_bad.data(), some_bad.size(), &results),
              BITTERN_INVALID_ARGUMENT);
    EXPECT_EQ(std::string(bittern_batch_error(batch)).find("clip 4: "), 0U) << bittern_batch_error(batch);
    for (std::size_t i = 0; i < clips.size(); ++i) {
      if (i != 4 && i != 9) {
        expect_answer(i);
      } else {
        EXPECT_EQ(results[i].label, -1);
        EXPECT_EQ(results[i].probabilities, nullptr);
      }
    }
    bittern_batch_close(batch);
  }
  bittern_batch_close(nullptr);
}

TEST_F(CApi, ABatchRefusesWhatItCannotDo) {
  bittern_batch* batch = nullptr;
  for (const int threads : {-1, 0, 257})
    EXPECT_EQ(bittern_batch_open(model_.get(), nullptr, threads, &batch, nullptr, 0),
              BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_batch_open(nullptr, nullptr, 1, &batch, nullptr, 0), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_batch_open(model_.get(), nullptr, 1, nullptr, nullptr, 0), BITTERN_INVALID_ARGUMENT);
  AlignedBuffer<std::byte> memory(1 << 20);
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.memory = memory.data();
  options.memory_size = memory.size();
  EXPECT_EQ(bittern_batch_open(model_.get(), &options, 1, &batch, nullptr, 0), BITTERN_INVALID_ARGUMENT);
  ASSERT_EQ(batch, nullptr);
  const bittern_result* results = nullptr;
  EXPECT_EQ(bittern_batch_classify(nullptr, nullptr, 0, &results), BITTERN_INVALID_ARGUMENT);
  EXPECT_STREQ(bittern_batch_error(nullptr), "");
  ASSERT_EQ(bittern_batch_open(model_.get(), nullptr, 2, &batch, nullptr, 0), BITTERN_OK);
  EXPECT_EQ(bittern_batch_classify(batch, nullptr, 3, &results), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_batch_classify(batch, nullptr, 0, nullptr), BITTERN_INVALID_ARGUMENT);
  bittern_batch_close(batch);
}

TEST_F(CApi, TheSelfTestSaysWhetherThisMachineComputesTheSame) {
  char error[256] = "";
  EXPECT_EQ(bittern_self_test(nullptr, error, sizeof(error)), BITTERN_INVALID_ARGUMENT);
  EXPECT_EQ(bittern_self_test(model_.get(), error, sizeof(error)), BITTERN_UNSUPPORTED);
  made_->self_test = runtime::compute_self_test(made_).value();
  EXPECT_EQ(bittern_self_test(open_bytes(model::serialize(*made_).value()).get(), error, sizeof(error)),
            BITTERN_OK);
  made_->self_test->stages[1] ^= 1U;
  EXPECT_EQ(bittern_self_test(open_bytes(model::serialize(*made_).value()).get(), error, sizeof(error)),
            BITTERN_CORRUPT);
  EXPECT_NE(std::string(error).find("stage 2"), std::string::npos) << error;
}

}  // namespace
}  // namespace bittern
