// Parameters and multiply-accumulates against published and independently derived numbers.
#include "graph/counts.h"

#include <gtest/gtest.h>

#include <cmath>

#include "graph/architecture.h"
#include "graph/builder.h"
#include "graph/small_network.h"

namespace bittern::graph {
namespace {

Network built(const std::string& architecture, const std::string& placement,
              ExitPool pool = ExitPool::kTime) {
  return build({.architecture = architecture, .classes = 12, .placement = placement, .pool = pool}).value();
}

// By hand for the small network: conv 9 x 8, binary 9 x 64, grouped 8 x 4.
TEST(Counts, SmallNetworkByHand) {
  const Network network = Network::create("small", small_layers()).value();
  const Counts counts = count(network);
  const int inputs[] = {16 * 8, 8 * 16, 8 * 16};
  EXPECT_EQ(counts.binary_parameters, 9 * 64 + 5 * (inputs[0] + inputs[1] + inputs[2]));
  EXPECT_EQ(counts.batch_norm_channels, 8 + 8 + 16 + 16);
  EXPECT_EQ(counts.float_parameters, 9 * 8 + 8 * 4 + 2 * (8 + 8 + 16 + 16) + 3 * 2 * 5);
  ASSERT_EQ(counts.exits.size(), 3U);
  EXPECT_EQ(counts.exits[0].layer, "norm");
  EXPECT_EQ(counts.exits[0].cumulative.binary, 0);
  EXPECT_EQ(counts.exits[0].cumulative.floating, 72 * 320);
  EXPECT_EQ(counts.exits[0].macs_exit, 5 * inputs[0]);
  EXPECT_EQ(counts.exits[2].exit, 3);
  EXPECT_EQ(counts.exits[2].cumulative.binary, 576 * 320);
  EXPECT_EQ(counts.exits[2].cumulative.floating, 72 * 320 + 32 * 80);
  EXPECT_DOUBLE_EQ(counts.exits[0].share, (72.0 * 320) / (576.0 * 320 / 64 + 72.0 * 320 + 32.0 * 80));
  EXPECT_EQ(macs_of(network, kGroupedLayer).floating, 32 * 80);
  EXPECT_EQ(macs_of(network, kLastExit).floating, 0);
}

// The same network: what poolings read, what layers write, exits' dense layers, and the rest as above.
TEST(Counts, WorkByHand) {
  const Network network = Network::create("small", small_layers()).value();
  const double macs = 9.0 * 8 * 320 + 72.0 * 320 + 32.0 * 80;  // 8 inputs are a word, 8 outputs a block
  const double pooled = 2 * 4 * 80.0 * 16;
  const double written = 3 * 320 * 8.0 + 320 * 16 + 80 * (16 + 16 + 4 + 16 + 16.0);
  const double exits = 320 * 8.0 + 80 * 16 + 80 * 16 + 3 * 5 * 128;
  EXPECT_DOUBLE_EQ(work(network), macs + pooled + written + exits);
}

TEST(Counts, NormAfterThePoolAndFloatDense) {
  std::vector<Layer> layers = small_layers();
  layers.resize(kFirstExit + 1);
  layers.back().op =
      Exit{.norm = ExitNorm::kAfterPool, .pool = ExitPool::kTime, .dense = ExitDense::kFloat, .classes = 3};
  const Counts counts = count(Network::create("small", layers).value());
  EXPECT_EQ(counts.binary_parameters, 0);
  EXPECT_EQ(counts.batch_norm_channels, 8 + 128);
  EXPECT_EQ(counts.float_parameters, 72 + 2 * (8 + 128) + 3 * 128 + 3);
  layers[kConvLayer].op = Conv2d{.kernel = {3, 3}, .stride = {2, 2}, .out_channels = 8, .bias = true};
  EXPECT_EQ(count(Network::create("small", layers).value()).float_parameters, counts.float_parameters + 8);
}

struct Original {
  const char* architecture;
  std::int64_t total, binary, floating;
  double packed_mib, float32_mib;
};

// The unmodified networks for 98x64x1 and 12 classes: the sizes of Saeed 2022, table 1.
TEST(Counts, OriginalsForSpeech) {
  const Original originals[] = {
      {"quicknet", 12726956, 12533760, 193196, 2.231, 48.549},
      {"birealnet-18", 11176396, 10985472, 190924, 2.038, 42.635},
      {"binarydensenet-28", 4555148, 4202496, 352652, 1.846, 17.377},
      {"meliusnet-22", 6437164, 6119424, 317740, 1.942, 24.556},
  };
  for (const Original& original : originals) {
    SCOPED_TRACE(original.architecture);
    const Counts counts =
        count(build({.architecture = original.architecture, .classes = 12, .original = true}).value());
    EXPECT_EQ(counts.parameters(), original.total);
    EXPECT_EQ(counts.binary_parameters, original.binary);
    EXPECT_EQ(counts.float_parameters, original.floating);
    EXPECT_NEAR(counts.packed_mib(), original.packed_mib, 0.0005);
    EXPECT_NEAR(counts.float32_mib(), original.float32_mib, 0.0005);
  }
}

// Larq Zoo's published parameter counts, ImageNet. It counts batch norm as 2 or as 4 a channel.
TEST(Counts, OriginalsForImages) {
  const struct {
    const char* architecture;
    std::int64_t published;
    int batch_norm;
  } zoo[] = {
      {"quicknet-small", 12655688, 2}, {"quicknet", 13234088, 2},     {"quicknet-large", 23342248, 2},
      {"meliusnet-22", 6944584, 2},    {"birealnet-18", 11699112, 4}, {"binarydensenet-28", 5150504, 4},
  };
  for (const auto& model : zoo) {
    SCOPED_TRACE(model.architecture);
    const Counts counts = count(
        build({.architecture = model.architecture, .input = {224, 224, 3}, .classes = 1000, .original = true})
            .value());
    EXPECT_EQ(counts.parameters() + (model.batch_norm - 2) * counts.batch_norm_channels, model.published);
  }
}

// With five exits that pool globally: a published-style count (five 1-bit heads with biases, the network's
// own last batch norm kept) differs from ours by the exits' batch norms and scales, and by that last norm.
TEST(Counts, FiveExits) {
  const struct {
    const char* architecture;
    std::int64_t binary, floating;
    std::int64_t exit_channels, last_norm;
  } variants[] = {
      {"quicknet", 12551424, 187100, 64 + 128 + 256 + 512 + 512, 0},
      {"birealnet-18", 11003136, 184828, 64 + 128 + 256 + 512 + 512, 0},
      {"binarydensenet-28", 4233600, 345788, 448 + 544 + 576 + 448 + 576, 576},
      {"meliusnet-22", 6145536, 311644, 320 + 480 + 480 + 384 + 512, 512},
  };
  for (const auto& variant : variants) {
    SCOPED_TRACE(variant.architecture);
    const Counts counts = count(built(variant.architecture, "paper", ExitPool::kGlobal));
    EXPECT_EQ(counts.binary_parameters, variant.binary);
    EXPECT_EQ(counts.float_parameters,
              variant.floating + 2 * variant.exit_channels - 2 * variant.last_norm + 60);
  }
}

struct Depth {
  const char* layer;
  double binary, floating;  // millions, cumulative; negative: not checked
  int percent;
};
struct Placed {
  const char* architecture;
  const char* placement;
  std::vector<Depth> exits;
};

TEST(Counts, MacsOfPlacements) {
  const Placed placements[] = {
      {"quicknet",
       "paper",
       {{"s1.b4", 59.0, .69, 24},
        {"s2.b4", 115.6, 1.53, 50},
        {"s3.b4", 172.2, 2.35, 75},
        {"s4.b2", 200.5, 3.15, 93},
        {"s4.b4", 228.9, 3.15, 100}}},
      {"birealnet-18",
       "paper",
       {{"s1.b4", 59.0, 4.92, 51},
        {"s2.b4", 112.7, 5.77, 66},
        {"s3.b4", 170.5, 6.69, 82},
        {"s4.b2", 198.8, 7.74, 95},
        {"s4.b4", 236.5, 7.74, 100}}},
      {"binarydensenet-28",
       "paper",
       {{"s1.b6", 309.7, 4.92, 44},
        {"s2.b6", 415.8, 11.8, 82},
        {"s3.b6", 445.0, 14.3, 96},
        {"s4.b3", 448.3, 15.2, 100},
        {"s4.b5", 451.7, 15.2, 100}}},
      {"meliusnet-22",
       "paper",
       {{"s1.b4", 353.9, 7.68, 50},
        {"s2.b5", 545.6, 13.0, 81},
        {"s3.b4", 591.0, 16.0, 95},
        {"s4.b2", 596.9, 17.0, 100},
        {"s4.b4", 605.2, 17.0, 100}}},
      {"quicknet",
       "stem",
       {{"stem", 0, .69, 10},
        {"s1.b4", 59.0, .69, 24},
        {"s2.b4", 115.6, 1.53, 50},
        {"s3.b4", 172.2, 2.35, 75},
        {"s4.b4", 228.9, 3.15, 100}}},
      {"birealnet-18",
       "stem",
       {{"stem", 0, 4.92, 43},
        {"s1.b4", 59.0, 4.92, 51},
        {"s2.b4", 112.7, 5.77, 66},
        {"s3.b4", 170.5, 6.69, 82},
        {"s4.b4", 236.5, 7.74, 100}}},
      {"binarydensenet-28",
       "stem",
       {{"stem", 0, 4.92, 22},
        {"s1.b6", 309.7, 4.92, 44},
        {"s2.b6", 415.8, 11.8, 82},
        {"s3.b6", 445.0, 14.3, 96},
        {"s4.b5", 451.7, 15.2, 100}}},
      {"meliusnet-22",
       "stem",
       {{"stem", 0, 7.68, 29},
        {"s1.b4", 353.9, 7.68, 50},
        {"s2.b5", 545.6, 13.0, 81},
        {"s3.b4", 591.0, 16.0, 95},
        {"s4.b4", 605.2, 17.0, 100}}},
      {"binarydensenet-28",
       "balanced",
       {{"s1.b2", 44.2, 4.92, 25},
        {"s1.b4", 147.5, 4.92, 32},
        {"s1.b6", 309.7, 4.92, 44},
        {"s2.b4", 366.3, 11.8, 79},
        {"s4.b5", 451.7, 15.2, 100}}},
      {"meliusnet-22",
       "balanced",
       {{"s1.b1", 44.2, 7.68, 32},
        {"s1.b3", 221.2, 7.68, 42},
        {"s2.b1", 376.9, 13.0, 71},
        {"s2.b4", 491.9, 13.0, 78},
        {"s4.b4", 605.2, 17.0, 100}}},
  };
  for (const Placed& placed : placements) {
    SCOPED_TRACE(std::string(placed.architecture) + " " + placed.placement);
    const Counts counts = count(built(placed.architecture, placed.placement));
    ASSERT_EQ(counts.exits.size(), placed.exits.size());
    for (std::size_t i = 0; i < placed.exits.size(); ++i) {
      const ExitCounts& found = counts.exits[i];
      const Depth& expected = placed.exits[i];
      EXPECT_EQ(found.layer, expected.layer);
      EXPECT_NEAR(static_cast<double>(found.cumulative.binary) / 1e6, expected.binary, 0.0501);
      EXPECT_NEAR(static_cast<double>(found.cumulative.floating) / 1e6, expected.floating,
                  expected.floating < 10 ? 0.00501 : 0.0501);
      EXPECT_EQ(std::lround(found.share * 100), expected.percent) << expected.layer;
    }
  }
}

// Larger, smaller and plain QuickNet, whole network.
TEST(Counts, MacsOfQuickNets) {
  const struct {
    const char* architecture;
    double binary, floating;
  } totals[] = {
      {"quicknet", 228.85, 3.15}, {"quicknet-small", 142.15, 1.68}, {"quicknet-large", 456.52, 3.15}};
  for (const auto& total : totals) {
    const Macs macs = count(built(total.architecture, "paper")).exits.back().cumulative;
    EXPECT_NEAR(static_cast<double>(macs.binary) / 1e6, total.binary, 0.00501) << total.architecture;
    EXPECT_NEAR(static_cast<double>(macs.floating) / 1e6, total.floating, 0.00501) << total.architecture;
  }
}

// Four products of a lane at once.
TEST(Counts, Int8MacsAreAQuarterOfFloatOnes) {
  const Counts counts = count(built("bittern:i5x8s4x4-64x1-64x1bi", "paper"));
  const Macs& first = counts.exits.front().cumulative;
  constexpr std::int64_t kStem = 5 * 8 * 64 * 25 * 16;
  EXPECT_EQ(first.int8, kStem);
  EXPECT_EQ(first.floating, kStem);
  EXPECT_EQ(first.cost(), static_cast<double>(first.binary) / 64 + static_cast<double>(kStem) / 4);
  // Behind it the blur of the transition is float, its pointwise convolution is not.
  const Macs& last = counts.exits.back().cumulative;
  EXPECT_EQ(last.int8, kStem + 64 * 64 * 12 * 8);
  EXPECT_EQ(last.floating - last.int8, 9 * 64 * 12 * 8);
  EXPECT_EQ(counts.exits.front().share, first.cost() / last.cost());
}

TEST(Counts, ExitsDenseIsCountedApart) {
  const Counts time = count(built("quicknet", "paper", ExitPool::kTime));
  const Counts global = count(built("quicknet", "paper", ExitPool::kGlobal));
  const std::int64_t channels[] = {64, 128, 256, 512, 512};
  const std::int64_t bins[] = {16, 8, 4, 2, 2};
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(global.exits[i].macs_exit, 12 * channels[i]);
    EXPECT_EQ(time.exits[i].macs_exit, 12 * channels[i] * bins[i]);
    EXPECT_EQ(time.exits[i].cumulative.binary, global.exits[i].cumulative.binary);
  }
}

// One input channel fills no word: the kernel reads a whole one for each, and eight outputs at a time.
TEST(Work, CountsWholeWordsAndBlocks) {
  const auto conv = [](int in, int out) {
    Builder b({16, 16, in});
    const int binary = b.add("binary", BinaryConv2d{.kernel = {3, 3}, .out_channels = out}, {b.input()});
    b.add("exit", Exit{.classes = 2}, {binary});
    const Network network = Network::create("one", b.layers()).value();
    // Without what the convolution and the exit read and write.
    return work(network) - 256.0 * out * 2 - 2.0 * dense_inputs(Exit{.classes = 2}, {16, 16, out});
  };
  EXPECT_EQ(conv(1, 1), 9.0 * 1 * 8 * 256);
  EXPECT_EQ(conv(64, 8), 9.0 * 1 * 8 * 256);
  EXPECT_EQ(conv(65, 9), 9.0 * 2 * 16 * 256);
  EXPECT_EQ(conv(1, 4096), conv(64, 4096));
}

}  // namespace
}  // namespace bittern::graph
