// The architectures' layers, shapes and exit placements.
#include "graph/architecture.h"

#include <gtest/gtest.h>

#include <set>

#include "graph/counts.h"

namespace bittern::graph {
namespace {

Network built(const std::string& architecture, const std::string& placement = "paper") {
  return build({.architecture = architecture, .classes = 12, .placement = placement}).value();
}

std::vector<std::string> exit_layers(const Network& network) {
  std::vector<std::string> names;
  for (const int exit : network.exits()) names.push_back(network.layer(network.layer(exit).inputs[0]).name);
  return names;
}

struct Output {
  const char* layer;
  Shape shape;
};

void expect_shapes(const Network& network, const std::vector<Output>& outputs) {
  for (const Output& output : outputs) {
    const int index = network.find(output.layer);
    ASSERT_GE(index, 0) << output.layer;
    EXPECT_EQ(to_string(network.shape_of(index)), to_string(output.shape)) << output.layer;
  }
}

// Of Bittern's own, made for sound; the others are the paper's and their sizes.
bool ours(const Architecture& architecture) { return architecture.name.starts_with("bittern-"); }

TEST(Architectures, QuickNetShapes) {
  expect_shapes(built("quicknet"), {{"stem.conv1", {49, 32, 16}},
                                    {"stem.conv2", {25, 16, 16}},
                                    {"stem", {25, 16, 64}},
                                    {"s1.b4", {25, 16, 64}},
                                    {"t2.pool", {24, 15, 64}},
                                    {"t2.blur", {12, 8, 64}},
                                    {"t2", {12, 8, 128}},
                                    {"s2.b4", {12, 8, 128}},
                                    {"t3.pool", {11, 7, 128}},
                                    {"s3.b4", {6, 4, 256}},
                                    {"t4.pool", {5, 3, 256}},
                                    {"s4.b4", {3, 2, 512}}});
}

TEST(Architectures, BiRealNetShapes) {
  expect_shapes(built("birealnet-18"), {{"stem.conv", {49, 32, 64}},
                                        {"stem", {25, 16, 64}},
                                        {"s1.b4", {25, 16, 64}},
                                        {"s2.b1.shortcut.pool", {13, 8, 64}},
                                        {"s2.b1", {13, 8, 128}},
                                        {"s3.b4", {7, 4, 256}},
                                        {"s4.b4", {4, 2, 512}}});
}

TEST(Architectures, BinaryDenseNetShapes) {
  expect_shapes(built("binarydensenet-28"), {{"stem.conv", {49, 32, 64}},
                                             {"stem", {25, 16, 64}},
                                             {"s1.b6", {25, 16, 448}},
                                             {"t2", {12, 8, 160}},
                                             {"s2.b6", {12, 8, 544}},
                                             {"t3", {6, 4, 192}},
                                             {"s3.b6", {6, 4, 576}},
                                             {"t4", {3, 2, 256}},
                                             {"s4.b5", {3, 2, 576}}});
}

TEST(Architectures, MeliusNetShapes) {
  expect_shapes(built("meliusnet-22"), {{"stem.conv1", {49, 32, 32}},
                                        {"stem.conv3", {49, 32, 64}},
                                        {"stem", {25, 16, 64}},
                                        {"s1.b1.dense", {25, 16, 128}},
                                        {"s1.b1.improve.conv", {25, 16, 64}},
                                        {"s1.b4", {25, 16, 320}},
                                        {"t2", {13, 8, 160}},
                                        {"s2.b5", {13, 8, 480}},
                                        {"t3", {7, 4, 224}},
                                        {"s3.b4", {7, 4, 480}},
                                        {"t4", {4, 2, 256}},
                                        {"s4.b4", {4, 2, 512}}});
}

// Larq Zoo leaves small pictures whole.
TEST(Architectures, BinaryDenseNetStemOfSmallInputs) {
  const Network small =
      build({.architecture = "binarydensenet-28", .input = {49, 64, 1}, .classes = 12}).value();
  EXPECT_EQ(small.find("stem.conv"), -1);
  EXPECT_EQ(small.shape_of(small.find("stem")), (Shape{49, 64, 64}));
  const Network large =
      build({.architecture = "binarydensenet-28", .input = {50, 64, 1}, .classes = 12}).value();
  EXPECT_EQ(large.shape_of(large.find("stem")), (Shape{13, 16, 64}));
  // A network once made keeps its layers at every length.
  EXPECT_EQ(large.with_time(49)->layers().size(), large.layers().size());
}

template <class T>
std::vector<T> all(const Network& network) {
  std::vector<T> found;
  for (const Layer& layer : network.layers())
    if (const T* op = std::get_if<T>(&layer.op)) found.push_back(*op);
  return found;
}

TEST(Architectures, BinaryConvolutionsAreThoseOfTheZoo) {
  const auto quantizers = [](BinaryConv2d op) {
    op.out_channels = 0;
    op.stride = {};
    return op;
  };
  for (const char* name : {"quicknet", "quicknet-small", "quicknet-large"}) {
    for (const auto& op : all<BinaryConv2d>(built(name)))
      EXPECT_EQ(quantizers(op),
                (BinaryConv2d{.pad_value = BinaryPadding::kOne, .input_clip = 1.25F, .kernel_clip = 1.25F}));
  }
  for (const auto& op : all<BinaryConv2d>(built("birealnet-18"))) {
    EXPECT_EQ(quantizers(op), (BinaryConv2d{.input_quantizer = Quantizer::kApproxSign,
                                            .kernel_quantizer = Quantizer::kMagnitudeAwareSign}));
    EXPECT_TRUE(op.has_scale());
  }
  for (const char* name : {"binarydensenet-28", "meliusnet-22"}) {
    for (const auto& op : all<BinaryConv2d>(built(name)))
      EXPECT_EQ(quantizers(op), (BinaryConv2d{.input_clip = 1.3F, .kernel_clip = 1.3F}));
  }
  EXPECT_EQ(all<BinaryConv2d>(built("quicknet")).size(), 16U);
  EXPECT_EQ(all<BinaryConv2d>(built("quicknet-large")).size(), 32U);
  EXPECT_EQ(all<BinaryConv2d>(built("birealnet-18")).size(), 16U);
  EXPECT_EQ(all<BinaryConv2d>(built("binarydensenet-28")).size(), 23U);
  EXPECT_EQ(all<BinaryConv2d>(built("meliusnet-22")).size(), 34U);
}

TEST(Architectures, BatchNormsAreThoseOfTheZoo) {
  const Network quicknet = built("quicknet");
  for (const Layer& layer : quicknet.layers()) {
    const auto* norm = std::get_if<BatchNorm>(&layer.op);
    if (norm == nullptr) continue;
    const bool plain = layer.name == "stem.bn2";
    const bool stem = layer.name.starts_with("stem");
    EXPECT_EQ(*norm, (BatchNorm{stem ? 1e-3F : 1e-5F, stem ? 0.99F : 0.9F, !plain, !plain})) << layer.name;
  }
  for (const auto& norm : all<BatchNorm>(built("birealnet-18"))) EXPECT_EQ(norm, (BatchNorm{1e-3F, 0.8F}));
  for (const char* name : {"binarydensenet-28", "meliusnet-22"})
    for (const auto& norm : all<BatchNorm>(built(name))) EXPECT_EQ(norm, (BatchNorm{1e-5F, 0.9F}));
}

TEST(Architectures, FloatConvolutionsAreThoseOfTheZoo) {
  const auto initializer = [](const Network& network, const char* layer) {
    return std::get<Conv2d>(network.layer(network.find(layer)).op).initializer;
  };
  const Network quicknet = built("quicknet");
  EXPECT_EQ(initializer(quicknet, "stem.conv1"), Initializer::kHeNormal);
  EXPECT_EQ(initializer(quicknet, "stem.conv2"), Initializer::kGlorotUniform);
  EXPECT_EQ(initializer(quicknet, "stem.conv3"), Initializer::kHeNormal);
  EXPECT_EQ(initializer(quicknet, "t2.conv"), Initializer::kGlorotNormal);
  for (const char* blur : {"t2.blur", "t3.blur", "t4.blur"}) {
    const auto& op = std::get<Conv2d>(quicknet.layer(quicknet.find(blur)).op);
    EXPECT_EQ(op.initializer, Initializer::kBlur);
    EXPECT_FALSE(op.trainable);
    EXPECT_EQ(op.groups, op.out_channels);
  }
  for (const auto& op : all<Conv2d>(built("binarydensenet-28")))
    EXPECT_EQ(op.initializer, Initializer::kHeNormal);
  for (const char* name : {"birealnet-18", "meliusnet-22"})
    for (const auto& op : all<Conv2d>(built(name))) EXPECT_EQ(op.initializer, Initializer::kGlorotNormal);
  for (const Architecture& architecture : architectures())
    for (const auto& op : all<Conv2d>(built(std::string(architecture.name)))) EXPECT_FALSE(op.bias);
}

TEST(Architectures, OriginalHeads) {
  for (const Architecture& architecture : architectures()) {
    const std::string name(architecture.name);
    const Network network = build({.architecture = name, .classes = 12, .original = true}).value();
    ASSERT_EQ(network.exit_count(), 1) << name;
    const auto& exit = std::get<Exit>(network.layers().back().op);
    EXPECT_EQ(exit.relu, name != "birealnet-18" && !ours(architecture)) << name;
    EXPECT_EQ(exit.norm, ExitNorm::kNone) << name;
    EXPECT_EQ(exit.pool, ExitPool::kGlobal) << name;
    EXPECT_EQ(exit.dense, ExitDense::kFloat) << name;
    const bool norm_before = name == "binarydensenet-28" || name == "meliusnet-22";
    EXPECT_EQ(network.find("head.bn") >= 0, norm_before) << name;
  }
}

// What every architecture must hold to, also one that is added to the list tomorrow.
TEST(Architectures, EveryOneKeepsTheRules) {
  std::set<std::string_view> names;
  for (const Architecture& architecture : architectures()) {
    SCOPED_TRACE(architecture.name);
    EXPECT_TRUE(names.insert(architecture.name).second);
    EXPECT_FALSE(architecture.summary.empty());
    ASSERT_EQ(*find_architecture(architecture.name), &architecture);
    std::set<std::string_view> presets;
    for (const Placement& placement : architecture.placements("")) {
      SCOPED_TRACE(placement.name);
      presets.insert(placement.name);
      ASSERT_LE(placement.layers.size(), 5U);
      ASSERT_GE(placement.layers.size(), ours(architecture) ? 4U : 5U);
      const Network network = built(std::string(architecture.name), std::string(placement.name));
      EXPECT_EQ(network.architecture(), architecture.name);
      EXPECT_EQ(network.classes(), 12);
      EXPECT_EQ(exit_layers(network), placement.layers);
      for (int i = 0; i < network.exit_count(); ++i) {
        const int exit = network.exits()[static_cast<std::size_t>(i)];
        EXPECT_EQ(network.layer(exit).name, "exit" + std::to_string(i + 1));
        EXPECT_EQ(network.layer(exit).inputs, std::vector<int>{exit - 1}) << "right behind what it reads";
        EXPECT_EQ(std::get<Exit>(network.layer(exit).op),
                  (Exit{.dense = architecture.exit_dense, .classes = 12}));
      }
    }
    EXPECT_EQ(presets, (std::set<std::string_view>{"stem", "paper", "balanced"}));
  }
}

TEST(Families, BuildWhatIsWrittenDown) {
  const Network network = built("bittern:p3x5s2x4-64x2-64x1s2x1-128x3k3x1bln");
  EXPECT_EQ(network.architecture(), "bittern:p3x5s2x4-64x2-64x1s2x1-128x3k3x1bln");
  EXPECT_EQ(exit_layers(network), (std::vector<std::string>{"s1.b2", "s2.b1", "s3.b2", "s3.b3"}));
  expect_shapes(network, {{"stem.pool", {49, 32, 1}},
                          {"stem", {25, 8, 64}},
                          {"s1.b2", {25, 8, 64}},
                          {"t2", {13, 8, 64}},
                          {"t3.blur", {6, 4, 64}},
                          {"s3.b3", {6, 4, 128}}});
  const auto kind_of = [&](const char* name) { return kind(network.layer(network.find(name)).op); };
  EXPECT_EQ(kind_of("s1.b1"), "prelu");
  EXPECT_EQ(kind_of("s1.b1.threshold"), "batch_norm");
  EXPECT_EQ(kind_of("s3.b1"), "add");
  EXPECT_EQ(kind_of("s3.b1.relu"), "relu");
  EXPECT_EQ(network.find("s3.b1.threshold"), -1);
  EXPECT_EQ(std::get<BinaryConv2d>(network.layer(network.find("s3.b1.conv")).op).kernel, (Extent{3, 1}));
  // An int8 stem, behind a mean or not.
  for (const char* name : {"bittern:i5x8s4x4-64x1-64x1", "bittern:pi5x8s2x2-64x1-64x1"}) {
    const Network levels = built(name);
    const auto& stem = std::get<Conv2d>(levels.layer(levels.find("stem.conv")).op);
    EXPECT_EQ(stem.int8, Int8Input{}) << name;
    EXPECT_EQ(stem.kernel, (Extent{5, 8})) << name;
    EXPECT_EQ(levels.shape_of(levels.find("stem")), (Shape{25, 16, 64})) << name;
    // A byte for each of its weights.
    const Counts counts = count(levels);
    EXPECT_EQ(counts.int8_parameters, 5 * 8 * 64) << name;
    EXPECT_DOUBLE_EQ(counts.packed_mib() * 1024 * 1024,
                     static_cast<double>(counts.binary_parameters) / 8 +
                         static_cast<double>(counts.float_parameters - counts.int8_parameters) * 4 +
                         static_cast<double>(counts.int8_parameters))
        << name;
  }
  const Network transition = built("bittern:i5x8s4x4-64x1-128x1bin");
  EXPECT_EQ(std::get<Conv2d>(transition.layer(transition.find("t2.conv")).op).int8,
            (Int8Input{.scale = 16.0F, .zero = 0}));
  EXPECT_EQ(transition.find("s2.b1.threshold"), -1);
  // QuickNet's stem and a mean twice where channels are doubled.
  const Network doubled = built("bittern:q8-32x1-64x1");
  EXPECT_EQ(kind(doubled.layer(doubled.find("t2.twice")).op), "concat");
  EXPECT_EQ(doubled.shape_of(doubled.find("stem.conv2")), (Shape{25, 16, 8}));
  // A blurred maximum, with a grouped pointwise convolution or without any.
  const Network blurred = built("bittern:q8-32x1-64x1b4-128x1dn-128x1d");
  EXPECT_EQ(std::get<Conv2d>(blurred.layer(blurred.find("t2.conv")).op).groups, 4);
  EXPECT_EQ(blurred.find("t3.conv"), -1);
  EXPECT_EQ(blurred.shape_of(blurred.find("t3.blur")).channels, 64);
  EXPECT_EQ(kind(blurred.layer(blurred.find("t3.twice")).op), "concat");
  EXPECT_EQ(blurred.find("t4.twice"), -1);
}

TEST(Families, RefuseWhatTheyCannotRead) {
  for (const char* name :
       {"bittern:", "bittern:q16", "bittern:x3-64x2", "bittern:q16-64", "bittern:q0-64x2",
        "bittern:q16-64x2-", "bittern:q16-64x2b0", "bittern:q16-64x2db", "bittern:q16-64x2i",
        "bittern:q16-64x2b4i", "bittern:q16-64x2z", "bittern:q16-64x2lb", "bittern:q99999-64x2",
        "bittern:p3x3-64x2", "bittern:q16-64x2\n"}) {
    const auto refused = find_architecture(name);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_NE(refused.error().message.find("cannot be read at"), std::string::npos)
        << refused.error().message;
  }
  for (const char* name : {"bittern", "quicknet:", "quicknet:q16-64x2", "", ":"}) {
    const auto refused = find_architecture(name);
    ASSERT_FALSE(refused.ok()) << name;
    EXPECT_NE(refused.error().message.find("bittern:DESIGN"), std::string::npos) << refused.error().message;
  }
  // Written down well, but no network.
  const auto refused = build({.architecture = "bittern:q16-64x2-96x2", .classes = 12});
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("96"), std::string::npos) << refused.error().message;
}

TEST(Architectures, PaperExitsSeeTheSamePitchBands) {
  const int bins[] = {16, 8, 4, 2, 2};
  for (const Architecture& architecture : architectures()) {
    if (ours(architecture)) continue;
    const Network network = built(std::string(architecture.name));
    for (std::size_t i = 0; i < 5; ++i)
      EXPECT_EQ(network.input_of(network.exits()[i]).frequency, bins[i]) << architecture.name;
  }
}

TEST(Placements, FollowTheirRules) {
  using Names = std::vector<std::string>;
  EXPECT_EQ(exit_layers(built("quicknet-large")), (Names{"s1.b6", "s2.b8", "s3.b12", "s4.b3", "s4.b6"}));
  EXPECT_EQ(exit_layers(built("quicknet", "balanced")), exit_layers(built("quicknet", "paper")));
  EXPECT_EQ(exit_layers(built("quicknet-small", "stem")),
            (Names{"stem", "s1.b4", "s2.b4", "s3.b4", "s4.b4"}));
}

TEST(Placements, ListOfLayers) {
  const Network network = built("quicknet", "stem,s1.b2,s3.b1.relu");
  EXPECT_EQ(exit_layers(network), (std::vector<std::string>{"stem", "s1.b2", "s3.b1.relu"}));
  // What no exit needs is gone: the rest of the network, and the block that the last exit looks into.
  EXPECT_EQ(network.find("s3.b1"), -1);
  EXPECT_EQ(network.find("s3.b1.bn"), -1);
  EXPECT_EQ(network.find("s4.b1"), -1);
  EXPECT_GE(network.find("s3.b1.conv"), 0);
}

std::string refusal(const BuildOptions& options) {
  const Expected<Network> network = build(options);
  EXPECT_FALSE(network.ok());
  return network.ok() ? "" : network.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  const bool found = text.find(part) != std::string::npos;
  EXPECT_TRUE(found) << text;
  return found;
}

TEST(Build, RefusesWhatItCannotBuild) {
  contains(refusal({.architecture = "resnet", .classes = 12}),
           "unknown architecture 'resnet'; known: quicknet, quicknet-small");
  contains(refusal({.architecture = "quicknet", .classes = 1}), "classes is 1");
  contains(refusal({.architecture = "quicknet", .classes = kMaxClasses + 1}), "classes is 4097");
  contains(refusal({.architecture = "quicknet", .input = {4, 4, 1}, .classes = 12}),
           "input 4x4x1: layer t2.pool");
  contains(refusal({.architecture = "quicknet", .input = {98, -64, 1}, .classes = 12}), "frequency is -64");
  contains(refusal({.architecture = "quicknet", .input = {98, 64, kMaxChannels + 1}, .classes = 12}),
           "channels is 4097");
  contains(refusal({.architecture = "quicknet", .classes = 12, .placement = "deep"}),
           "'deep' is neither a preset (stem, paper, balanced) nor a layer of quicknet");
  contains(refusal({.architecture = "quicknet", .classes = 12, .placement = "s1.b1,"}), "'' is neither");
  contains(refusal({.architecture = "quicknet", .classes = 12, .placement = ""}), "'' is neither");
  contains(refusal({.architecture = "quicknet", .classes = 12, .placement = "s2.b1,s1.b1"}),
           "s1.b1 does not stand behind s2.b1");
  contains(refusal({.architecture = "quicknet", .classes = 12, .placement = "s1.b1,s1.b1"}),
           "s1.b1 does not stand behind s1.b1");
  std::string many = "stem";
  for (int section = 1; section <= 4; ++section)
    for (int block = 1; block <= 4; ++block)
      many += ",s" + std::to_string(section) + ".b" + std::to_string(block);
  contains(refusal({.architecture = "quicknet", .classes = 12, .placement = many}), "at most 16 exits");
}

}  // namespace
}  // namespace bittern::graph
