// Audio hosts flush denormal numbers to zero: an answer may not depend on it.
#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "core/random.h"
#include "exits/rule.h"
#include "features/log_mel.h"
#include "model/random_model.h"
#include "runtime/networks.h"
#include "runtime/session.h"

#ifdef __SSE2__
#include <xmmintrin.h>

namespace bittern::runtime {
namespace {

class FlushToZero {
 public:
  FlushToZero() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040U); }  // results, then operands
  ~FlushToZero() { _mm_setcsr(before_); }
  FlushToZero(const FlushToZero&) = delete;
  FlushToZero& operator=(const FlushToZero&) = delete;

 private:
  unsigned before_;
};

void append_bits(std::span<const float> values, std::vector<std::uint32_t>& bits) {
  for (const float x : values) bits.push_back(std::bit_cast<std::uint32_t>(x));
}

// Features, logits, probabilities and entropy of every exit, as bits.
std::vector<std::uint32_t> all_that_follows(Session& session, features::LogMel& log_mel,
                                            std::span<const float> samples) {
  const model::Model& model = session.model();
  std::vector<std::uint32_t> bits;
  std::vector<float> features(static_cast<std::size_t>(model.network.input_shape().elements()));
  log_mel.compute(samples, features);
  append_bits(features, bits);
  const int exits = model.network.exit_count();
  std::vector<float> logits(static_cast<std::size_t>(exits) * model.labels.size());
  EXPECT_TRUE(session.logits(samples, logits).ok());
  append_bits(logits, bits);
  for (int exit = 1; exit <= exits; ++exit) {
    Classification result;
    EXPECT_TRUE(session.classify(samples, exits::Policy::at_exit(exit, exits).value(), result).ok());
    append_bits(result.probabilities, bits);
    append_bits({&result.entropy, 1}, bits);
  }
  return bits;
}

TEST(FlushToZero, ChangesNoBit) {
  for (const std::string name : {"quicknet-small", "birealnet-18"}) {
    const auto model = model::random_model(architecture(name), 3);
    model->temperatures = {1.0F, 0.1F, 0.03F, 0.01F, 0.001F};  // logits far apart
    for (const Isa isa : available_isas()) {
      Session session = Session::create(model, {.isa = isa}).value();
      auto log_mel = features::LogMel::create(model->front_end, isa).value();
      for (const float level : {0.0F, 1e-40F, 1e-12F, 1e-7F, 1e-3F, 0.9F}) {
        SCOPED_TRACE(name + " " + std::string(bittern::name(isa)) + " level " + std::to_string(level));
        Random random({static_cast<std::uint64_t>(level * 1000), 25});
        std::vector<float> samples(16000);
        for (float& x : samples) x = level * random.uniform(-1.0F, 1.0F);
        const auto expected = all_that_follows(session, log_mel, samples);
        const FlushToZero flush;
        EXPECT_EQ(all_that_follows(session, log_mel, samples), expected);
      }
    }
  }
}

TEST(FlushToZero, ChangesNoUnlikelyProbability) {
  const std::vector<float> logits{0, 0, 0, -87.0F};
  std::vector<float> expected(4), flushed(4);
  exits::softmax(logits, 1.0F, expected);
  const FlushToZero flush;
  exits::softmax(logits, 1.0F, flushed);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(flushed[3]), std::bit_cast<std::uint32_t>(expected[3]));
}

}  // namespace
}  // namespace bittern::runtime
#endif
