#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "core/int8_kernel.h"
#include "model/file.h"
#include "model/random_model.h"
#include "model/text.h"

namespace bittern::model {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// One thing that is wrong with a model, and what the error must mention.
struct Fault {
  const char* name;
  const char* mention;
  std::function<void(Model&)> make;
};
// The test's name shows it.
// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const Fault& fault, std::ostream* out) { *out << fault.name; }

std::span<float> writable(std::span<const float> values) {
  return {const_cast<float*>(values.data()), values.size()};
}
std::span<std::uint64_t> writable(std::span<const std::uint64_t> values) {
  return {const_cast<std::uint64_t*>(values.data()), values.size()};
}
std::span<std::int8_t> writable(std::span<const std::int8_t> values) {
  return {const_cast<std::int8_t*>(values.data()), values.size()};
}
LayerWeights& weights_of(Model& model, std::string_view layer) {
  return model.weights[static_cast<std::size_t>(model.network.find(layer))];
}

const std::vector<Fault>& faults() {
  static const std::vector<Fault> all = {
      {"no_network", "no layers", [](Model& m) { m.network = {}; }},
      {"weights_missing", "sets of weights", [](Model& m) { m.weights.pop_back(); }},
      {"kernel_short", "kernel has",
       [](Model& m) {
         auto& k = weights_of(m, "stem").kernel;
         k = k.first(k.size() - 1);
       }},
      {"bits_of_a_relu", "bits has",
       [](Model& m) { weights_of(m, "stem.relu").bits = weights_of(m, "b1.conv").bits; }},
      {"scale_unaligned", "aligned",
       [](Model& m) {
         auto& w = weights_of(m, "exit3");
         const auto big = weights_of(m, "point").kernel;
         w.bias = big.subspan(1, w.bias.size());
       }},
      {"nan_weight", "\"point\": bias holds a value that is not finite at index 2",
       [](Model& m) { writable(weights_of(m, "point").bias)[2] = kNan; }},
      {"infinite_weight", "not finite",
       [](Model& m) { writable(weights_of(m, "exit1").scale)[0] = -kInfinity; }},
      {"kernel_padding_bit", "padding bit",
       [](Model& m) { writable(weights_of(m, "b1.conv").bits)[0] |= std::uint64_t{1} << 8U; }},
      {"kernel_padding_lane", "padding bit",
       [](Model& m) { writable(weights_of(m, "d1.conv").bits)[7] |= 1U; }},
      {"row_padding_bit", "padding bit",
       [](Model& m) { writable(weights_of(m, "exit2").bits)[1] |= std::uint64_t{1} << 63U; }},
      {"int8_padding_value", "\"levels\": int8_kernel: a padding value is not 0",
       [](Model& m) {
         writable(weights_of(m, "levels").int8_kernel)[int8_kernel_index(5, 0, 69, 1, 70) + 1] = 1;
       }},
      {"int8_kernel_short", "int8_kernel has",
       [](Model& m) {
         auto& k = weights_of(m, "levels").int8_kernel;
         k = k.first(k.size() - 64);
       }},
      {"int8_kernel_of_a_float_convolution", "int8_kernel has",
       [](Model& m) { weights_of(m, "stem").int8_kernel = weights_of(m, "levels").int8_kernel; }},
      {"int8_kernel_unaligned", "aligned",
       [](Model& m) {
         auto& k = weights_of(m, "levels").int8_kernel;
         k = std::span(k.data() + 1, k.size());
       }},
      {"label_missing", "2 labels for 3 classes", [](Model& m) { m.labels.pop_back(); }},
      {"label_empty", "empty", [](Model& m) { m.labels[1].clear(); }},
      {"label_twice", "\"label-0\" stands twice", [](Model& m) { m.labels[1] = m.labels[0]; }},
      {"label_not_utf8", "UTF-8", [](Model& m) { m.labels[1] = "\xC3("; }},
      {"label_with_escape", "printable", [](Model& m) { m.labels[1] = "\x1B[2J"; }},
      {"label_long", "257 bytes", [](Model& m) { m.labels[1] = std::string(257, 'x'); }},
      {"temperature_missing", "2 temperatures for 3 exits", [](Model& m) { m.temperatures.pop_back(); }},
      {"temperature_zero", "temperature", [](Model& m) { m.temperatures[2] = 0.0F; }},
      {"temperature_tiny", "temperature", [](Model& m) { m.temperatures[2] = 1e-40F; }},
      {"temperature_huge", "temperature", [](Model& m) { m.temperatures[1] = 1001.0F; }},
      {"temperature_nan", "temperature", [](Model& m) { m.temperatures[0] = kNan; }},
      {"threshold_missing", "thresholds", [](Model& m) { m.operating_points[0].thresholds.pop_back(); }},
      {"threshold_infinite", "not finite", [](Model& m) { m.operating_points[0].thresholds[1] = kInfinity; }},
      {"point_unnamed", "empty", [](Model& m) { m.operating_points[0].name.clear(); }},
      {"point_twice", "stands twice", [](Model& m) { m.operating_points.push_back(m.operating_points[0]); }},
      {"points_too_many", "operating points", [](Model& m) { m.operating_points.resize(65); }},
      {"front_end_other_bins", "16x1 features",
       [](Model& m) { m.front_end.clip_samples += m.front_end.hop; }},
      {"front_end_bad", "front end", [](Model& m) { m.front_end.hop = 0; }},
      {"recipe_not_utf8", "recipe", [](Model& m) { m.provenance.recipe = "\xFF"; }},
      {"metrics_long", "metrics", [](Model& m) { m.provenance.metrics.assign((1U << 20U) + 1, 'x'); }},
      {"self_test_short", "self-test",
       [](Model& m) {
         m.self_test = SelfTest{1, {2}, 3};
       }},
  };
  return all;
}

class EveryFault : public testing::TestWithParam<Fault> {};

TEST_P(EveryFault, IsFoundAndNamed) {
  const auto model = random_model(tiny_network(), 1);
  ASSERT_TRUE(validate(*model).ok()) << validate(*model).error().message;
  GetParam().make(*model);
  const Status status = validate(*model);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find(GetParam().mention), std::string::npos) << status.error().message;
  EXPECT_FALSE(serialize(*model).ok());
}

INSTANTIATE_TEST_SUITE_P(Validate, EveryFault, testing::ValuesIn(faults()),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Sizes, AreThoseOfTheShapes) {
  const graph::Network network = tiny_network();
  const auto sizes = [&](std::string_view layer) { return sizes_of(network, network.find(layer)); };
  // 3x3 kernels of one input channel or group; one word for up to 64 inputs, 8 lanes a block.
  EXPECT_EQ(sizes("stem"), (LayerSizes{.kernel = 72}));
  EXPECT_EQ(sizes("stem.norm"), (LayerSizes{.scale = 8, .bias = 8}));
  EXPECT_EQ(sizes("stem.relu"), LayerSizes{});
  EXPECT_EQ(sizes("i1.prelu"), (LayerSizes{.scale = 12}));
  EXPECT_EQ(sizes("b1.conv"), (LayerSizes{.bits = 72}));
  EXPECT_EQ(sizes("d1.conv"), (LayerSizes{.bits = 72, .scale = 4}));
  EXPECT_EQ(sizes("blur"), (LayerSizes{.kernel = 108}));
  // 70 inputs are 18 quads for each of 16 outputs.
  EXPECT_EQ(sizes("levels"), (LayerSizes{.scale = 16, .int8_kernel = 1152}));
  EXPECT_EQ(sizes("point"), (LayerSizes{.kernel = 840, .bias = 70}));
  // exit1 reads 10x16x8 and pools over time: 128 inputs, a byte for each and each class.
  EXPECT_EQ(sizes("exit1"),
            (LayerSizes{.scale = 3, .bias = 3, .norm_scale = 8, .norm_bias = 8, .int8_kernel = 384}));
  // A binary one there has two words a class.
  std::vector<graph::Layer> layers = network.layers();
  std::get<graph::Exit>(layers[static_cast<std::size_t>(network.find("exit1"))].op).dense =
      graph::ExitDense::kBinary;
  EXPECT_EQ(sizes_of(graph::Network::create("binary", layers).value(), network.find("exit1")),
            (LayerSizes{.bits = 6, .scale = 3, .bias = 3, .norm_scale = 8, .norm_bias = 8}));
  // exit2 pools over all: 12 inputs, normalised after.
  EXPECT_EQ(sizes("exit2"),
            (LayerSizes{.bits = 3, .scale = 3, .bias = 3, .norm_scale = 12, .norm_bias = 12}));
  // exit3 reads 3x2x16.
  EXPECT_EQ(sizes("exit3"), (LayerSizes{.kernel = 96, .bias = 3}));
}

TEST(Text, KnowsUtf8FromWhatOnlyLooksLikeIt) {
  for (const char* good : {"", "yes", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x90\xA6", "\xF4\x8F\xBF\xBF"})
    EXPECT_TRUE(is_utf8(good)) << good;
  for (const char* bad : {"\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                          "\xFF", "\xF8\x88\x80\x80\x80", "\xE2\x82", "a\xC3z"})
    EXPECT_FALSE(is_utf8(bad)) << bad;
  EXPECT_TRUE(is_printable("\xC3\xA4 b"));
  for (const char* bad : {"a\nb", "\x7F", "\xC2\x85", "\xE2\x80\xAE", "\t"}) EXPECT_FALSE(is_printable(bad));
}

}  // namespace
}  // namespace bittern::model
