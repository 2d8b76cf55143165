// compute() and push() take no memory.
#include <gtest/gtest.h>

#include "features/log_mel.h"
#include "features/signals.h"
#include "support/allocations.h"

namespace bittern::features {
namespace {

TEST(Allocation, OnlyCreateTakesMemory) {
  const auto samples = white_noise(50'000, 1.0F, 17);
  std::vector<float> output(std::size_t{400} * 64);
  const std::size_t before = allocations();
  auto log_mel = LogMel::create({});
  ASSERT_TRUE(log_mel.ok());
  EXPECT_GT(allocations(), before);  // the counting works
  const std::size_t made = allocations();
  for (const std::size_t length : {0, 399, 400, 16000, 50'000}) {
    log_mel->compute(std::span(samples).first(length), output);
    log_mel->push(std::span(samples).first(length), output);
    log_mel->reset();
  }
  EXPECT_EQ(allocations(), made);
}

}  // namespace
}  // namespace bittern::features
