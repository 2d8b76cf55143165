#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "core/aligned.h"
#include "model/file.h"
#include "model/random_model.h"
#include "model/same_model.h"

namespace bittern::model {
namespace {

namespace fs = std::filesystem;

std::shared_ptr<Model> model_of(std::string_view architecture,
                                graph::ExitPool pool = graph::ExitPool::kTime) {
  graph::BuildOptions options;
  options.architecture = architecture;
  options.classes = 12;
  options.pool = pool;
  return random_model(graph::build(options).value(), 7);
}

std::string describe(const Status& status) { return status.ok() ? "ok" : status.error().message; }

class EveryArchitecture : public testing::TestWithParam<std::string_view> {};

TEST_P(EveryArchitecture, ReadsBackEqual) {
  for (const auto pool : {graph::ExitPool::kTime, graph::ExitPool::kGlobal}) {
    const auto model = model_of(GetParam(), pool);
    const auto file = serialize(*model);
    ASSERT_TRUE(file.ok()) << file.error().message;
    const auto back = read_copy(*file);
    ASSERT_TRUE(back.ok()) << back.error().message;
    expect_same(*model, **back);
    EXPECT_EQ(serialize(**back).value(), *file);
  }
}

TEST_P(EveryArchitecture, TensorsAreUsedWhereTheyLieInTheFile) {
  const auto file = serialize(*model_of(GetParam())).value();
  AlignedBuffer<std::byte> memory(file.size());
  std::copy(file.begin(), file.end(), memory.data());
  const auto back = read(memory.span());
  ASSERT_TRUE(back.ok()) << back.error().message;
  for (const LayerWeights& weights : (*back)->weights) {
    for (const auto tensor :
         {std::as_bytes(weights.kernel), std::as_bytes(weights.bits), std::as_bytes(weights.int8_kernel),
          std::as_bytes(weights.scale), std::as_bytes(weights.bias), std::as_bytes(weights.norm_scale),
          std::as_bytes(weights.norm_bias)}) {
      if (tensor.empty()) continue;
      EXPECT_GE(tensor.data(), memory.data());
      EXPECT_LE(tensor.data() + tensor.size(), memory.data() + memory.size());
      EXPECT_TRUE(is_aligned(tensor.data()));
    }
  }
}

std::vector<std::string_view> names() {
  std::vector<std::string_view> all;
  for (const graph::Architecture& architecture : graph::architectures()) all.push_back(architecture.name);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Model, EveryArchitecture, testing::ValuesIn(names()), [](const auto& info) {
  std::string name(info.param);
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(RoundTrip, EveryFieldOfTheModelComesBack) {
  const auto model = random_model(tiny_network(), 3);
  model->labels = {"yes", "n\xC3\xA4\x68", "_silence_"};
  model->temperatures = {0.5F, 1.25F, 3.0F};
  model->front_end.normalize_scale.assign(16, 0.25F);
  model->front_end.normalize_bias.assign(16, -1.5F);
  model->front_end.low_hz = 20.0F;
  model->front_end.offset = 1e-5F;
  model->operating_points = {{"fast", "entropy", {0.1F, 0.2F, 0.3F}, "early"},
                             {"sure", "patience", {2, 2, 2}, ""}};
  model->provenance = {"tiny",    "paper",         "made up",
                       "00ff",    "{\"seed\": 1}", "{}",
                       "0.1.0",   "Apache-2.0",    "2020-01-01T00:00:00Z",
                       UINT64_MAX};
  model->self_test = SelfTest{1, {2, UINT64_MAX, 0}, 4};
  const auto file = serialize(*model);
  ASSERT_TRUE(file.ok()) << file.error().message;
  const auto back = read_copy(*file);
  ASSERT_TRUE(back.ok()) << back.error().message;
  expect_same(*model, **back);
}

TEST(RoundTrip, TheSameModelGivesTheSameBytes) {
  EXPECT_EQ(serialize(*model_of("quicknet")).value(), serialize(*model_of("quicknet")).value());
  EXPECT_NE(serialize(*random_model(tiny_network(), 1)).value(),
            serialize(*random_model(tiny_network(), 2)).value());
}

// The size that the format promises for the default network.
TEST(RoundTrip, QuickNetWithFiveExitsAndTwelveLabelsIsAtMost2_35MiB) {
  const auto model = model_of("quicknet");
  ASSERT_EQ(model->network.exit_count(), 5);
  EXPECT_LE(serialize(*model).value().size(), static_cast<std::size_t>(2.35 * 1024 * 1024));
}

TEST(RoundTrip, AFileThatIsOpenedOutlivesItsName) {
  const fs::path path = fs::temp_directory_path() / ("bittern-model-" + std::to_string(::getpid()));
  const auto model = random_model(tiny_network(), 4);
  const Status saved = save(*model, path);
  ASSERT_TRUE(saved.ok()) << describe(saved);
  const auto back = open(path);
  fs::remove(path);
  ASSERT_TRUE(back.ok()) << back.error().message;
  expect_same(*model, **back);
}

}  // namespace
}  // namespace bittern::model
