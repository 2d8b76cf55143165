// No two buffers that live at the same time share a byte, and the total stays what it is known to be.
#include "runtime/arena.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "core/aligned.h"
#include "model/random_model.h"
#include "runtime/lower.h"
#include "runtime/networks.h"

namespace bittern::runtime {
namespace {

Buffer buffer(int kilobytes, int first_use, int last_use) {
  return {.name = {},
          .time = 1,
          .rows = 1,
          .frequency = 256,
          .width = kilobytes,
          .first_use = first_use,
          .last_use = last_use};
}

void expect_sound(const std::vector<Buffer>& buffers, std::size_t total) {
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    const Buffer& a = buffers[i];
    if (!a.used()) continue;
    EXPECT_EQ(a.offset % kAlignment, 0U) << a.name;
    EXPECT_LE(a.offset + a.bytes(), total) << a.name;
    EXPECT_LE(a.first_use, a.last_use) << a.name;
    for (std::size_t j = i + 1; j < buffers.size(); ++j) {
      const Buffer& b = buffers[j];
      if (!b.used() || a.last_use < b.first_use || b.last_use < a.first_use) continue;
      EXPECT_TRUE(a.offset + a.bytes() <= b.offset || b.offset + b.bytes() <= a.offset)
          << a.name << " and " << b.name << " overlap";
    }
  }
}

TEST(Arena, PutsTheLargestFirstAndReusesWhatIsOver) {
  std::vector<Buffer> buffers{buffer(1, 0, 1), buffer(4, 1, 2), buffer(2, 2, 3), buffer(1, 3, 4)};
  ASSERT_EQ(assign_offsets(buffers).value(), 6U * 1024);
  EXPECT_EQ(buffers[1].offset, 0U);
  EXPECT_EQ(buffers[2].offset, 4096U);
  EXPECT_EQ(buffers[0].offset, 4096U);  // lives with the 4 KiB only
  EXPECT_EQ(buffers[3].offset, 0U);     // lives with the 2 KiB only
}

TEST(Arena, FillsAGapThatIsLargeEnough) {
  // Placed in order of size: 4 at 0, 3 at 4, 2 (lives with both) at 7; 1 lives with 4 and 2 and fits between.
  std::vector<Buffer> buffers{buffer(4, 0, 9), buffer(3, 0, 1), buffer(2, 0, 9), buffer(1, 5, 9)};
  ASSERT_EQ(assign_offsets(buffers).value(), 9U * 1024);
  EXPECT_EQ(buffers[3].offset, 4096U);
}

TEST(Arena, IgnoresWhatIsNeverUsed) {
  std::vector<Buffer> buffers{buffer(4, -1, -1), buffer(2, 0, 1)};
  EXPECT_EQ(assign_offsets(buffers).value(), 2048U);
}

TEST(Arena, RefusesMoreThanTheLimit) {
  std::vector<Buffer> buffers{buffer(1 << 20, 0, 1), buffer(1, 0, 1)};
  const auto refused = assign_offsets(buffers);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
  EXPECT_EQ(refused.error().message,
            "the network would need more than the limit of 1024 MiB of working memory; give a shorter clip");
}

TEST(Arena, IsSoundForEveryArchitecture) {
  for (const graph::Architecture& known : graph::architectures()) {
    const auto model = model::random_model(architecture(std::string(known.name)), 1);
    for (const bool stream : {true, false}) {
      for (const int frames : {98, 200}) {
        SCOPED_TRACE(std::string(known.name) + (stream ? ", streamed, " : ", whole, ") +
                     std::to_string(frames));
        const Plan plan = lower(*model, frames, {.stream = stream}).value();
        expect_sound(plan.buffers, plan.arena_bytes);
      }
    }
  }
}

TEST(Arena, IsSoundForRandomNetworks) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const graph::Network network = random_network(seed, 30);
    const auto model = model::random_model(network, seed);
    const Plan plan = lower(*model, network.input_shape().time).value();
    expect_sound(plan.buffers, plan.arena_bytes);
  }
}

TEST(Arena, TheFrontEndWorksWhereTheNetworkWillLater) {
  const auto model = model::random_model(architecture("quicknet"), 1);
  const std::size_t without = lower(*model, 98).value().arena_bytes;
  const Plan plan = lower(*model, 98, {.front_end_floats = 32768, .window_samples = 16000}).value();
  expect_sound(plan.buffers, plan.arena_bytes);
  EXPECT_LT(plan.arena_bytes, without + 16000 * sizeof(float));
  for (const Place& place : {plan.front_end, plan.window}) {
    const Buffer& buffer = plan.buffers[static_cast<std::size_t>(place.buffer)];
    EXPECT_EQ(buffer.first_use, 0);
    EXPECT_EQ(buffer.last_use, 0);
  }
}

// Working memory is part of what a network costs: a change of these numbers is a decision.
TEST(Arena, SizesStayWhatTheyAre) {
  struct Known {
    std::string name;
    std::size_t bytes;
    std::size_t whole;  // without streaming
  };
  const std::vector<Known> all{{"quicknet", 176'704, 194'880},
                               {"birealnet-18", 180'544, 504'128},
                               {"binarydensenet-28", 956'992, 1'118'528},
                               {"meliusnet-22", 775'936, 1'024'320}};
  for (const Known& known : all) {
    const auto model = model::random_model(architecture(known.name), 1);
    const Plan plan = lower(*model, 98).value();
    EXPECT_LE(plan.arena_bytes, known.bytes) << known.name;
    EXPECT_GE(plan.arena_bytes, known.bytes * 97 / 100) << known.name << " got smaller: lower the number";
    EXPECT_EQ(lower(*model, 98, {.stream = false}).value().arena_bytes, known.whole) << known.name;
  }
}

}  // namespace
}  // namespace bittern::runtime
