// Files made to deceive: the checksum is right, something behind it is not.
#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "core/random.h"
#include "model/editable_file.h"
#include "model/random_model.h"

namespace bittern::model {
namespace {

using Table = flatbuffers::Table;

const schema::Layer* layer_of(const EditableFile& file, std::string_view name) {
  for (const schema::Layer* layer : *file.root()->layers()) {
    if (layer->name()->string_view() == name) return layer;
  }
  return nullptr;
}
const schema::Tensor* tensor_of(const EditableFile& file, std::string_view layer) {
  return layer_of(file, layer)->tensors()->Get(0);
}
// The place of a vector's length, right before its elements.
template <class T>
const std::uint8_t* length_of(const flatbuffers::Vector<T>* vector) {
  return reinterpret_cast<const std::uint8_t*>(vector);
}

struct Trick {
  const char* name;
  const char* mention;
  std::function<void(EditableFile&)> play;
};
// The test's name shows it.
// NOLINTNEXTLINE(readability-identifier-naming): GoogleTest's name
void PrintTo(const Trick& trick, std::ostream* out) { *out << trick.name; }

template <class T>
std::function<void(EditableFile&)> set_op_field(const char* layer, flatbuffers::voffset_t field, T value) {
  return [=](EditableFile& f) {
    f.set_field(static_cast<const Table*>(layer_of(f, layer)->op()), field, value);
  };
}

const std::vector<Trick>& tricks() {
  using schema::BinaryConv2d;
  using schema::Conv2d;
  using F = EditableFile;
  constexpr std::int32_t kHuge = std::numeric_limits<std::int32_t>::max();
  static const std::vector<Trick> all = {
      {"input_of_2G_frames", "network", set_op_field("input", schema::Input::VT_TIME, kHuge)},
      {"input_of_negative_bins", "network", set_op_field("input", schema::Input::VT_FREQUENCY, -1)},
      {"input_of_many_channels", "network", set_op_field("input", schema::Input::VT_CHANNELS, 4097)},
      {"input_of_no_channels", "network", set_op_field("input", schema::Input::VT_CHANNELS, 0)},
      {"conv_of_2G_channels", "network", set_op_field("stem", Conv2d::VT_OUT_CHANNELS, kHuge)},
      {"conv_of_no_groups", "network", set_op_field("stem", Conv2d::VT_GROUPS, 0)},
      {"conv_of_negative_groups", "network", set_op_field("blur", Conv2d::VT_GROUPS, -12)},
      {"conv_of_huge_kernel", "network", set_op_field("stem", Conv2d::VT_KERNEL, kHuge)},
      {"conv_of_no_stride", "network", set_op_field("stem", Conv2d::VT_STRIDE, 0)},
      {"int8_conv_of_many_channels", "network", set_op_field("levels", Conv2d::VT_OUT_CHANNELS, 528)},
      {"int8_conv_of_huge_kernel", "network",
       set_op_field("levels", Conv2d::VT_KERNEL, schema::Extent(31, 31))},
      {"int8_conv_of_no_scale", "network", set_op_field("levels", Conv2d::VT_INT8, schema::Int8Input(0, 1))},
      {"int8_conv_of_a_zero_beyond", "network",
       set_op_field("levels", Conv2d::VT_INT8, schema::Int8Input(1, 256))},
      {"binary_conv_of_2G_channels", "network",
       set_op_field("d1.conv", BinaryConv2d::VT_OUT_CHANNELS, kHuge)},
      {"binary_conv_clip_not_a_number", "network",
       set_op_field("d1.conv", BinaryConv2d::VT_KERNEL_CLIP, std::numeric_limits<float>::quiet_NaN())},
      {"norm_of_infinite_epsilon", "network",
       set_op_field("stem.norm", schema::BatchNorm::VT_EPSILON, std::numeric_limits<float>::infinity())},
      {"pool_of_huge_stride", "network", set_op_field("pool1", schema::MaxPool::VT_STRIDE, kHuge)},
      {"work_of_hours", "million multiply-accumulates",
       [](F& f) {
         set_op_field("input", schema::Input::VT_TIME, 65536)(f);
         set_op_field("input", schema::Input::VT_FREQUENCY, 448)(f);
         set_op_field("stem", Conv2d::VT_KERNEL, schema::Extent(31, 31))(f);
       }},
      {"clip_of_17M_samples", "clip_samples",
       [](F& f) { f.set_field(f.root()->front_end(), schema::FrontEnd::VT_CLIP_SAMPLES, (1 << 24) + 1); }},
      {"exit_of_2G_classes", "network", set_op_field("exit1", schema::Exit::VT_CLASSES, kHuge)},
      {"exit_of_other_classes", "network", set_op_field("exit1", schema::Exit::VT_CLASSES, 2)},
      {"unknown_padding", "unknown", set_op_field("stem", Conv2d::VT_PADDING, std::uint8_t{7})},
      {"unknown_quantizer", "unknown",
       set_op_field("d1.conv", BinaryConv2d::VT_KERNEL_QUANTIZER, std::uint8_t{3})},
      {"unknown_pool", "unknown", set_op_field("exit1", schema::Exit::VT_POOL, std::uint8_t{255})},
      {"unknown_op", "unknown",
       [](F& f) { f.set_field(layer_of(f, "stem"), schema::Layer::VT_OP_TYPE, std::uint8_t{200}); }},
      {"no_op", "unknown",
       [](F& f) { f.set_field(layer_of(f, "stem"), schema::Layer::VT_OP_TYPE, std::uint8_t{0}); }},
      {"another_op", "",
       [](F& f) { f.set_field(layer_of(f, "stem"), schema::Layer::VT_OP_TYPE, schema::Op::Exit); }},
      {"reads_itself", "network", [](F& f) { f.set(layer_of(f, "stem.relu")->inputs()->data(), 3); }},
      {"reads_a_negative_layer", "network",
       [](F& f) { f.set(layer_of(f, "stem.relu")->inputs()->data(), -1); }},
      {"two_layers_of_one_name", "network",
       [](F& f) { std::memcpy(const_cast<char*>(layer_of(f, "exit2")->name()->c_str()), "exit1", 5); }},
      {"unknown_role", "role",
       [](F& f) { f.set_field(tensor_of(f, "stem"), schema::Tensor::VT_ROLE, std::uint8_t{7}); }},
      {"role_twice", "two tensors",
       [](F& f) {
         f.set_field(layer_of(f, "stem.norm")->tensors()->Get(1), schema::Tensor::VT_ROLE,
                     schema::Role::Scale);
       }},
      {"unknown_type", "type",
       [](F& f) { f.set_field(tensor_of(f, "stem"), schema::Tensor::VT_TYPE, std::uint8_t{9}); }},
      {"floats_as_words", "type",
       [](F& f) { f.set_field(tensor_of(f, "stem"), schema::Tensor::VT_TYPE, schema::ElementType::Word64); }},
      {"bytes_as_floats", "type",
       [](F& f) { f.set_field(tensor_of(f, "levels"), schema::Tensor::VT_TYPE, schema::ElementType::Int8); }},
      {"tensor_of_4G", "structure", [](F& f) { f.set(length_of(tensor_of(f, "stem")->data()), UINT32_MAX); }},
      {"tensor_of_none", "empty", [](F& f) { f.set(length_of(tensor_of(f, "stem")->data()), 0U); }},
      {"tensor_cut_inside_an_element", "inside an element",
       [](F& f) {
         f.set(length_of(tensor_of(f, "stem")->data()), tensor_of(f, "stem")->data()->size() - 1);
       }},
      {"tensor_shorter_than_its_shape", "shape",
       [](F& f) {
         f.set(length_of(tensor_of(f, "stem")->data()), tensor_of(f, "stem")->data()->size() - 4);
       }},
      {"tensors_that_overlap", "overlap",
       [](F& f) {
         for (const schema::Layer* layer : *f.root()->layers()) {
           for (const schema::Tensor* tensor : *layer->tensors()) {
             const auto rest =
                 f.bytes().data() + f.size() - reinterpret_cast<const std::byte*>(tensor->data()->data());
             f.set(length_of(tensor->data()), static_cast<std::uint32_t>(rest / 8 * 8));
           }
         }
       }},
      {"a_tensor_that_lies_in_another", "overlap",
       [](F& f) {
         // The norm's scale shall be read from the convolution's bytes.
         const schema::Tensor* moved = layer_of(f, "stem.norm")->tensors()->Get(0);
         auto* offset = reinterpret_cast<const Table*>(moved)->GetAddressOf(schema::Tensor::VT_DATA);
         const auto* target = reinterpret_cast<const std::uint8_t*>(tensor_of(f, "stem")->data());
         ASSERT_GT(target, offset);
         f.set(offset, static_cast<std::uint32_t>(target - offset));
       }},
      {"tensor_unaligned", "aligned",
       [](F& f) {
         const schema::Tensor* tensor = tensor_of(f, "stem");
         const std::uint32_t length = tensor->data()->size();
         f.set(length_of(tensor->data()) + 4, length - 4);
         auto* offset = reinterpret_cast<const Table*>(tensor)->GetAddressOf(schema::Tensor::VT_DATA);
         std::uint32_t value = 0;
         std::memcpy(&value, offset, sizeof(value));
         f.set(offset, value + 4);
       }},
      {"weight_not_a_number", "finite",
       [](F& f) { f.set(tensor_of(f, "stem")->data()->data(), std::numeric_limits<float>::quiet_NaN()); }},
      {"layers_of_4G", "structure", [](F& f) { f.set(length_of(f.root()->layers()), UINT32_MAX); }},
      {"labels_of_1G", "structure", [](F& f) { f.set(length_of(f.root()->labels()), 1U << 30U); }},
      {"label_of_4G", "structure",
       [](F& f) { f.set(reinterpret_cast<const std::uint8_t*>(f.root()->labels()->Get(0)), UINT32_MAX); }},
      {"label_not_utf8", "UTF-8", [](F& f) { f.set(f.root()->labels()->Get(0)->data(), char{'\xFF'}); }},
      {"hop_of_none", "front end",
       [](F& f) { f.set_field(f.root()->front_end(), schema::FrontEnd::VT_HOP, 0); }},
      {"fft_of_2G", "front end",
       [](F& f) { f.set_field(f.root()->front_end(), schema::FrontEnd::VT_FFT_SIZE, 1 << 30); }},
      {"clip_of_2G", "",
       [](F& f) { f.set_field(f.root()->front_end(), schema::FrontEnd::VT_CLIP_SAMPLES, kHuge); }},
      {"temperature_negative", "temperature", [](F& f) { f.set(f.root()->temperatures()->data(), -1.0F); }},
      {"threshold_not_a_number", "finite",
       [](F& f) {
         f.set(f.root()->operating_points()->Get(0)->thresholds()->data(),
               std::numeric_limits<float>::quiet_NaN());
       }},
      {"layers_that_are_their_own_offset", "structure",
       [](F& f) {
         const auto* layers =
             reinterpret_cast<const Table*>(f.root())->GetAddressOf(schema::Model::VT_LAYERS);
         f.set(layers, std::uint32_t{0});
       }},
  };
  return all;
}

class EveryTrick : public testing::TestWithParam<Trick> {};

TEST_P(EveryTrick, IsRefusedForItsReason) {
  EditableFile file(*random_model(tiny_network(), 6));
  ASSERT_TRUE(read(file.bytes()).ok());
  GetParam().play(file);
  file.seal();
  const auto model = read(file.bytes());
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(model.error().message.find(GetParam().mention), std::string::npos) << model.error().message;
  EXPECT_EQ(model.error().message.find("checksum"), std::string::npos);
}

TEST(HostileFile, StagesBetweenWordsAreRefused) {
  const auto model = random_model(tiny_network(), 6);
  model->self_test = SelfTest{1, {2, 3, 4}, 5};
  EditableFile file(*model);
  ASSERT_TRUE(read(file.bytes()).ok());
  const schema::SelfTest* test = file.root()->self_test();
  auto* offset = reinterpret_cast<const Table*>(test)->GetAddressOf(schema::SelfTest::VT_STAGES);
  std::uint32_t value = 0;
  std::memcpy(&value, offset, sizeof(value));
  file.set(length_of(test->stages()) + 4, std::uint32_t{2});
  file.set(offset, value + 4);
  file.seal();
  const auto refused = read(file.bytes());
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(refused.error().message.find("not aligned"), std::string::npos) << refused.error().message;
}

INSTANTIATE_TEST_SUITE_P(HostileFile, EveryTrick, testing::ValuesIn(tricks()),
                         [](const auto& info) { return std::string(info.param.name); });

// Reads every number that a model gives access to, so that a sanitizer sees a tensor that reaches too far.
double sum_of(const Model& model) {
  double sum = 0;
  for (const LayerWeights& weights : model.weights) {
    for (const auto& values :
         {weights.kernel, weights.scale, weights.bias, weights.norm_scale, weights.norm_bias})
      for (const float value : values) sum += static_cast<double>(value);
    for (const std::uint64_t word : weights.bits) sum += static_cast<double>(word);
    for (const std::int8_t value : weights.int8_kernel) sum += static_cast<double>(value);
  }
  return sum;
}

// Random damage behind a right checksum, over the parts that are not weights most of the time. What is still
// accepted must be a whole model: it can be written, and reads back.
TEST(HostileFile, RandomDamageWithARightChecksumNeverBreaksTheReader) {
  constexpr std::uint64_t kSeed = 11;
  constexpr int kRounds = 12000;
  constexpr std::uint32_t kNumbers[] = {0,   1,      2,      3,       4,          8,         64,
                                        255, 0x7FFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF};
  const std::vector<std::byte> original = serialize(*random_model(tiny_network(), 8)).value();
  int accepted = 0;
  double sum = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " round " + std::to_string(round));
    Random random{kSeed, static_cast<std::uint64_t>(round)};
    EditableFile file(original);
    for (std::uint64_t edits = 1 + random.below(3); edits > 0; --edits) {
      const std::size_t at = 8 + random.below(original.size() - 12);
      switch (random.below(3)) {
        case 0:
          file.bytes()[at] = static_cast<std::byte>(random.below(256));
          break;
        case 1:
          file.set(file.bytes().data() + at / 4 * 4, kNumbers[random.below(std::size(kNumbers))]);
          break;
        default:  // a small step, which moves an offset or a count by a little
          file.bytes()[at / 4 * 4] ^= static_cast<std::byte>(4 * (1 + random.below(3)));
      }
    }
    file.set_header({kFormatMajor, kFormatMinor, file.size(), 0});
    file.seal();
    const auto model = read(file.bytes());
    if (!model.ok()) continue;
    ++accepted;
    sum += sum_of(**model);
    const auto again = serialize(**model);
    ASSERT_TRUE(again.ok()) << again.error().message;
    ASSERT_TRUE(read_copy(*again).ok());
  }
  EXPECT_GT(accepted, 0);  // some damage only changes a weight's value
  EXPECT_LT(accepted, kRounds);
  EXPECT_EQ(sum, sum);
}

}  // namespace
}  // namespace bittern::model
