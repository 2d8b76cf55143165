// Whole models whose settings or layers do not hold together.
#include <gtest/gtest.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>

#include "audio/temp_folder.h"
#include "convert/fixtures.h"
#include "convert/hdf5_writer.h"
#include "convert/keras_config.h"
#include "convert/keras_file.h"
#include "convert/larq_import.h"

namespace bittern::convert {
namespace {

using Json = nlohmann::json;
using test::Hdf5Writer;

class HostileConfig : public testing::Test {
 protected:
  HostileConfig() { H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr); }

  Expected<LarqImport> import_changed(const std::string& name,
                                      const std::function<void(const Hdf5Writer&)>& change) const {
    test::write_bytes(path_, test::read_bytes(test::fixture(name)));
    {
      const Hdf5Writer file(path_, Hdf5Writer::Open::kExisting);
      change(file);
    }
    return import_larq(path_, test::options_for(name));
  }

  // The whole model with another text as its config.
  void expect_text_refused(const std::string& config, const std::string& what) const {
    const auto imported = import_changed(test::kWholeModel, [&](const Hdf5Writer& file) {
      file.variable_names("/", "model_config", {config}, {});
    });
    ASSERT_FALSE(imported.ok()) << what;
    EXPECT_TRUE(imported.error().message.starts_with(path_ + ": ")) << imported.error().message;
    EXPECT_NE(imported.error().message.find(what), std::string::npos) << imported.error().message;
  }

  void expect_refused(const std::function<void(Json& layers)>& change, const std::string& what) const {
    Json config = config_;
    change(config["config"]["layers"]);
    expect_text_refused(config.dump(), what);
  }

  const test::TempFolder folder_;
  const std::string path_ = (folder_ / "x.h5").string();
  const Json config_ = Json::parse(read_keras_file(test::fixture(test::kWholeModel))->config);
};

Json& layer(Json& layers, const std::string& kind) {
  for (Json& one : layers)
    if (one["class_name"] == kind) return one;
  throw std::runtime_error("no " + kind);
}

Json& exit_of(Json& layers) { return layer(layers, "QuantDense"); }

Json made(const std::string& kind, const std::string& name, const std::string& reads) {
  return {{"class_name", kind},
          {"name", name},
          {"config", {{"name", name}}},
          {"inbound_nodes", {{{reads, 0, 0, Json::object()}}}}};
}

void read_from(Json& layer, const std::string& name) {
  layer["inbound_nodes"] = {{{name, 0, 0, Json::object()}}};
}

TEST_F(HostileConfig, UnchangedItIsRead) {
  const auto imported = import_changed(test::kWholeModel, [&](const Hdf5Writer& file) {
    file.variable_names("/", "model_config", {config_.dump()}, {});
  });
  EXPECT_TRUE(imported.ok()) << imported.error().message;
}

TEST_F(HostileConfig, TextsThatAreNoConfig) {
  for (const std::string text : {"no JSON", "{}", "[]", "7", "{\"config\": {\"layers\": []}}",
                                 "{\"config\": {\"layers\": {}}}", "\xFF\xFE"})
    expect_text_refused(text, "model_config is not a functional model's");
  expect_text_refused(std::string(1 << 20, '['), "model_config is not a functional model's");
  expect_text_refused("{\"config\": {\"layers\": [7]}}", "a layer without a name");
}

TEST_F(HostileConfig, LayersThatReadEachOther) {
  expect_refused(
      [](Json& layers) {
        layers.push_back(made("Dropout", "one", "other"));
        layers.push_back(made("Dropout", "other", "one"));
        read_from(exit_of(layers), "one");
      },
      "too many layers");
  expect_refused([](Json& layers) { read_from(exit_of(layers), "none"); },
                 "model_config lacks the layer none");
}

TEST_F(HostileConfig, NormsWithoutWeights) {
  expect_refused(
      [](Json& layers) {
        Json& exit = exit_of(layers);
        layers.push_back(
            made("BatchNormalization", "ghost", exit["inbound_nodes"][0][0][0].get<std::string>()));
        read_from(exit_of(layers), "ghost");
      },
      "the batch norm ghost has no weights");
  expect_refused(
      [](Json& layers) {
        layers.push_back(made("BatchNormalization", "ghost", exit_of(layers)["config"]["name"]));
      },
      "the batch norm ghost has no weights");
}

TEST_F(HostileConfig, NumbersThatNoLayerHas) {
  for (const double epsilon : {-1.0, 0.0, 1e300, 1.0}) {
    expect_refused([&](Json& layers) { layer(layers, "BatchNormalization")["config"]["epsilon"] = epsilon; },
                   "the epsilon");
  }
  expect_refused(
      [](Json& layers) {
        layer(layers, "QuantConv2D")["config"]["strides"] = {1LL << 32U, 1};
      },
      "stride");
  expect_refused([](Json& layers) { layer(layers, "QuantConv2D")["config"]["pad_values"] = 1e300; },
                 "pads with");
  for (const long long time : {1LL << 20U, (1LL << 32U) + 98}) {
    expect_refused(
        [&](Json& layers) {
          layer(layers, "InputLayer")["config"]["batch_input_shape"] = {nullptr, time, 64, 1};
        },
        "");
  }
}

TEST_F(HostileConfig, ALayerTwice) {
  expect_refused([](Json& layers) { layers.push_back(layers.back()); }, "twice");
}

// Layers that are found by their names may hold anything.
TEST_F(HostileConfig, KernelsOfOtherShapes) {
  const std::string name = "section_1_block_1_dense_binconv";
  const std::string kernel = "/" + name + "/" + name + "/kernel:0";
  const auto refused = [&](const std::function<void(const Hdf5Writer&)>& change, const std::string& what) {
    const auto imported = import_changed("meliusnet-22", change);
    ASSERT_FALSE(imported.ok());
    EXPECT_NE(imported.error().message.find(what), std::string::npos) << imported.error().message;
  };
  refused([&](const Hdf5Writer& file) { file.names("/" + name, "weight_names", {}); }, "lacks its kernel");
  refused(
      [&](const Hdf5Writer& file) {
        file.remove(kernel);
        file.dataset(kernel, {9}, std::vector<double>(9, 0.5));
      },
      "1 dimensions, not 4");
  const std::string stem = "stem_s0_conv";
  refused([&](const Hdf5Writer& file) { file.names("/" + stem, "weight_names", {}); }, "lacks its kernel");
}

TEST_F(HostileConfig, NegativeVariances) {
  const auto imported = import_changed("meliusnet-22", [](const Hdf5Writer& file) {
    const std::string variance = "/stem_s0_bn/stem_s0_bn/moving_variance:0";
    const hid_t old = H5Dopen2(file.file(), variance.c_str(), H5P_DEFAULT);
    const hid_t space = H5Dget_space(old);
    const auto count = static_cast<std::size_t>(H5Sget_simple_extent_npoints(space));
    H5Sclose(space);
    H5Dclose(old);
    file.remove(variance);
    file.dataset(variance, {count}, std::vector<double>(count, -0.0001));
  });
  ASSERT_FALSE(imported.ok());
  EXPECT_NE(imported.error().message.find("negative"), std::string::npos) << imported.error().message;
}

}  // namespace
}  // namespace bittern::convert
