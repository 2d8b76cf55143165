// The lowered, fused, streamed, vectorised runtime gives the bits of the obvious interpreter: logits and what
// every exit reads, on every instruction set.
#include <gtest/gtest.h>

#include <bit>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "model/random_model.h"
#include "runtime/execute.h"
#include "runtime/lower.h"
#include "runtime/networks.h"
#include "runtime/reference.h"

namespace bittern::runtime {
namespace {

// Lowers and runs `model` on `frames` frames of random features under several options and compares.
class Comparison {
 public:
  Comparison(const model::Model& model, int frames, std::uint64_t seed)
      : model_(model),
        network_(model.network.with_time(frames).value()),
        features_(random_features(network_.input_shape(), seed)),
        reference_(model, network_) {
    reference_.run(features_);
  }

  void expect_same(Isa isa, const LowerOptions& options) {
    const Plan plan = lower(model_, network_.input_shape().time, options).value();
    AlignedBuffer<std::byte> arena(plan.arena_bytes);
    // Whatever lies in memory before must not matter.
    std::fill(arena.data(), arena.data() + arena.size(), std::byte{0x7F});
    Executor executor(kernels::kernels(isa));
    executor.reserve(plan.longest_group);
    executor.start(plan, arena.data());
    std::copy(features_.begin(), features_.end(), executor.features().begin());
    for (int stage = 0; stage < network_.exit_count(); ++stage) {
      executor.run_stage(stage);
      const int exit = network_.exits()[static_cast<std::size_t>(stage)];
      expect_same_tensor(executor.tensor(stage), network_.layer(exit).inputs.front());
      if (testing::Test::HasFailure()) return;
    }
    const std::vector<float> expected = reference_.logits();
    const std::span<const float> actual = executor.logits();
    ASSERT_EQ(actual.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ASSERT_EQ(bits_of(actual[i]), bits_of(expected[i]))
          << "logit " << i << ": " << actual[i] << ", expected " << expected[i];
    }
  }

  void expect_same_everywhere() {
    for (const Isa isa : available_isas()) {
      for (const auto& [stream, tile_bytes] : {std::pair{true, kTileBytes},
                                               {true, std::size_t{0}},
                                               {true, std::size_t{4096}},
                                               {false, kTileBytes}}) {
        SCOPED_TRACE(std::string(name(isa)) + (stream ? " streamed in " : " whole, ") +
                     std::to_string(tile_bytes) + " bytes");
        expect_same(isa, {stream, tile_bytes});
        if (testing::Test::HasFailure()) return;
      }
    }
  }

 private:
  static std::uint32_t bits_of(float x) { return std::bit_cast<std::uint32_t>(x); }

  void expect_same_tensor(const kernels::View<const float>& actual, int layer) {
    const ReferenceTensor& expected = reference_.tensors()[static_cast<std::size_t>(layer)];
    ASSERT_EQ(actual.channels, expected.shape.channels);
    for (int t = 0; t < expected.shape.time; ++t) {
      for (int f = 0; f < expected.shape.frequency; ++f) {
        for (int c = 0; c < expected.shape.channels; ++c) {
          ASSERT_EQ(bits_of(actual.pixel(t, f)[c]), bits_of(expected.at(t, f, c)))
              << network_.layer(layer).name << " at " << t << ", " << f << ", " << c << ": "
              << actual.pixel(t, f)[c] << ", expected " << expected.at(t, f, c);
        }
      }
    }
  }

  const model::Model& model_;
  graph::Network network_;
  std::vector<float> features_;
  Reference reference_;
};

class ArchitectureBits : public testing::TestWithParam<std::string> {};

TEST_P(ArchitectureBits, AreTheReferences) {
  const auto model = model::random_model(architecture(GetParam()), 1);
  Comparison(*model, 98, 2).expect_same_everywhere();
}

TEST_P(ArchitectureBits, AreTheReferencesForOtherLengths) {
  const auto model = model::random_model(architecture(GetParam()), 3);
  for (const int frames : {61, 131}) {
    SCOPED_TRACE(std::to_string(frames) + " frames");
    Comparison(*model, frames, 4).expect_same(best_isa(), {});
  }
}

INSTANTIATE_TEST_SUITE_P(Four, ArchitectureBits,
                         testing::Values("quicknet-small", "birealnet-18", "binarydensenet-28",
                                         "meliusnet-22", "bittern-tiny", "bittern-small"),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST(Bits, OfANetworkWithALayerOfEveryKind) {
  const auto model = model::random_model(model::tiny_network(), 5);
  for (const int frames : {4, 5, 19, 20, 64}) {
    SCOPED_TRACE(std::to_string(frames) + " frames");
    Comparison(*model, frames, 6).expect_same_everywhere();
  }
}

// After an improvement of x's last channels, all of x's channels go through the ReLU.
TEST(Bits, OfAReluBehindAnImprovement) {
  using namespace graph;
  Builder builder(Shape{9, 5, 1});
  const int x = builder.add("x", Conv2d{.kernel = {3, 3}, .out_channels = 12}, {0});
  const int w = builder.add("w", BinaryConv2d{.out_channels = 4}, {x});
  const int sum = builder.add("sum", Add{}, {x, w});
  const int relu = builder.add("relu", Relu{}, {sum});
  builder.add("exit1", Exit{.classes = 2}, {relu});
  const auto model = model::random_model(built("improved", builder), 7);
  Comparison(*model, 9, 8).expect_same_everywhere();
}

// The input must be kept until it is added.
TEST(Bits, OfTheInputAddedLate) {
  using namespace graph;
  Builder builder(Shape{9, 5, 2});
  const int a = builder.add("a", Conv2d{.kernel = {3, 3}, .out_channels = 2}, {0});
  builder.add("exit1", Exit{.classes = 2}, {a});
  const int b = builder.add("b", BinaryConv2d{.out_channels = 2}, {a});
  const int sum = builder.add("sum", Add{}, {0, b});
  builder.add("exit2", Exit{.classes = 2}, {sum});
  const auto model = model::random_model(built("late", builder), 7);
  Comparison(*model, 9, 8).expect_same_everywhere();
}

TEST(Bits, OfRandomNetworks) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    const graph::Network network = random_network(seed, 5 + static_cast<int>(seed % 30));
    const auto model = model::random_model(network, seed);
    Comparison(*model, network.input_shape().time, seed).expect_same_everywhere();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace bittern::runtime
