// The exported tensors against the trained ones, layer by layer.
#include "training/exporter.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <vector>

#include "audio/temp_folder.h"
#include "core/bits.h"
#include "core/int8_kernel.h"
#include "model/file.h"
#include "model/random_model.h"
#include "model/same_model.h"
#include "runtime/self_test.h"

namespace bittern::training {
namespace {

std::vector<float> values_of(const at::Tensor& x) {
  if (!x.defined()) return {};
  const at::Tensor flat = x.detach().contiguous();
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

std::vector<float> list(std::span<const float> values) { return {values.begin(), values.end()}; }

// Every kind of layer, with tensors as a training leaves them.
TrainableNetwork trained(BinaryOptimizer optimizer) {
  auto network = TrainableNetwork::create(model::tiny_network(), optimizer, 5).value();
  at::manual_seed(4);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& tensor : network.state()) {
    at::Tensor value = tensor.value;
    if (tensor.name.ends_with(".variance")) {
      value.copy_(at::rand_like(value) + 0.01);
    } else if (!tensor.name.ends_with(".kernel")) {
      value.copy_(at::randn_like(value));
    }
  }
  return network;
}

std::shared_ptr<const model::Model> exported(const TrainableNetwork& network,
                                             model::Provenance provenance = {}) {
  return export_model(network, model::front_end_for(network.network().input_shape()), {"x", "y", "z"},
                      std::move(provenance))
      .value();
}

void expect_folded(const BatchNormState& norm, float epsilon, std::span<const float> scale,
                   std::span<const float> bias) {
  const std::vector<float> gamma = values_of(norm.gamma), beta = values_of(norm.beta),
                           mean = values_of(norm.mean), variance = values_of(norm.variance);
  ASSERT_EQ(scale.size(), mean.size());
  ASSERT_EQ(bias.size(), mean.size());
  for (std::size_t i = 0; i < mean.size(); ++i) {
    const double factor = (gamma.empty() ? 1.0 : static_cast<double>(gamma[i])) /
                          std::sqrt(static_cast<double>(variance[i]) + static_cast<double>(epsilon));
    const double offset =
        (beta.empty() ? 0.0 : static_cast<double>(beta[i])) - static_cast<double>(mean[i]) * factor;
    EXPECT_FLOAT_EQ(scale[i], static_cast<float>(factor));
    EXPECT_NEAR(bias[i], offset, 1e-6 * (1 + std::abs(offset)));
  }
}

// The nearest of 255 whole numbers, of which each output's largest weight is the last.
void expect_int8(const at::Tensor& kernel, const graph::Conv2d& conv, const model::LayerWeights& to) {
  const auto rows = static_cast<int>(kernel.size(0)), outputs = static_cast<int>(kernel.size(3));
  const auto row_values = static_cast<int>(kernel.size(1) * kernel.size(2));
  const std::vector<float> weights = values_of(kernel);
  const auto at = [&](int row, int value, int output) {
    return static_cast<double>(
        weights[static_cast<std::size_t>((row * row_values + value) * outputs + output)]);
  };
  ASSERT_EQ(to.scale.size(), static_cast<std::size_t>(outputs));
  EXPECT_TRUE(to.kernel.empty());
  for (int o = 0; o < outputs; ++o) {
    double largest = 0;
    for (int row = 0; row < rows; ++row) {
      for (int v = 0; v < row_values; ++v) largest = std::max(largest, std::abs(at(row, v, o)));
    }
    const double step = largest / 127;
    EXPECT_FLOAT_EQ(to.scale[static_cast<std::size_t>(o)],
                    static_cast<float>(step / static_cast<double>(conv.int8->scale)));
    for (int row = 0; row < rows; ++row) {
      for (int v = 0; v < row_values; ++v)
        EXPECT_NEAR(to.int8_kernel[int8_kernel_index(o, row, v, rows, row_values)], at(row, v, o) / step,
                    0.501);
    }
  }
}

class Exporter : public testing::TestWithParam<BinaryOptimizer> {};

TEST_P(Exporter, PacksEveryLayersTensors) {
  const TrainableNetwork network = trained(GetParam());
  const auto model = exported(network);
  const graph::Network& graph = network.network();
  for (int i = 0; i < static_cast<int>(graph.layers().size()); ++i) {
    SCOPED_TRACE(graph.layer(i).name);
    const LayerTensors& from = network.tensors(i);
    const model::LayerWeights& to = model->weights[static_cast<std::size_t>(i)];
    if (const auto* conv = std::get_if<graph::Conv2d>(&graph.layer(i).op); conv != nullptr && conv->int8) {
      expect_int8(from.kernel, *conv, to);
    } else if (conv != nullptr) {
      EXPECT_EQ(list(to.kernel), values_of(from.kernel));
      EXPECT_EQ(list(to.bias), values_of(from.bias));
    } else if (const auto* norm = std::get_if<graph::BatchNorm>(&graph.layer(i).op)) {
      expect_folded(from.norm, norm->epsilon, to.scale, to.bias);
    } else if (const auto* binary = std::get_if<graph::BinaryConv2d>(&graph.layer(i).op)) {
      const auto taps = static_cast<int>(from.kernel.size(0)), in = static_cast<int>(from.kernel.size(1));
      const auto out = static_cast<int>(from.kernel.size(2));
      const std::vector<float> kernel = values_of(from.kernel);
      std::vector<double> magnitudes(static_cast<std::size_t>(out));
      for (int tap = 0, k = 0; tap < taps; ++tap) {
        for (int c = 0; c < in; ++c) {
          for (int o = 0; o < out; ++o, ++k) {
            const float weight = kernel[static_cast<std::size_t>(k)];
            const std::size_t word = packed_kernel_index(o, tap, c / kWordBits, taps, words_for(in));
            ASSERT_EQ((to.bits[word] >> (c % kWordBits)) % 2 != 0, weight < 0);
            magnitudes[static_cast<std::size_t>(o)] += std::abs(static_cast<double>(weight)) / (taps * in);
          }
        }
      }
      ASSERT_EQ(to.scale.size(), binary->has_scale() ? magnitudes.size() : 0U);
      for (std::size_t o = 0; o < to.scale.size(); ++o)
        EXPECT_FLOAT_EQ(to.scale[o], static_cast<float>(magnitudes[o]));
    } else if (std::holds_alternative<graph::Prelu>(graph.layer(i).op)) {
      EXPECT_EQ(list(to.scale), values_of(from.scale));
      EXPECT_TRUE(to.bias.empty());
    } else if (const auto* exit = std::get_if<graph::Exit>(&graph.layer(i).op)) {
      EXPECT_EQ(list(to.bias), values_of(from.bias));
      if (exit->norm != graph::ExitNorm::kNone)
        expect_folded(from.norm, exit->norm_epsilon, to.norm_scale, to.norm_bias);
      const std::vector<float> kernel = values_of(from.kernel);  // [inputs, classes]
      if (exit->dense == graph::ExitDense::kFloat) {
        EXPECT_EQ(list(to.kernel), kernel);
        continue;
      }
      if (exit->dense == graph::ExitDense::kInt8) {
        const std::size_t classes = 3, inputs = kernel.size() / classes;
        for (std::size_t row = 0; row < classes; ++row) {
          float most = 0;
          for (std::size_t i = 0; i < inputs; ++i) most = std::max(most, std::abs(kernel[i * classes + row]));
          EXPECT_FLOAT_EQ(to.scale[row], most / 127);
          for (std::size_t i = 0; i < inputs; ++i)
            EXPECT_NEAR(to.int8_kernel[row * inputs + i], kernel[i * classes + row] / to.scale[row], 0.501);
        }
        continue;
      }
      EXPECT_EQ(list(to.scale), values_of(from.scale));
      const std::size_t classes = 3, inputs = kernel.size() / classes;
      for (std::size_t k = 0; k < kernel.size(); ++k) {
        const std::size_t input = k / classes, row = k % classes;
        const std::uint64_t word =
            to.bits[row * static_cast<std::size_t>(words_for(static_cast<int>(inputs))) + input / kWordBits];
        ASSERT_EQ((word >> (input % kWordBits)) % 2 != 0, kernel[k] < 0);
      }
    }
  }
}

TEST_P(Exporter, TheFileIsWhatWasExported) {
  const test::TempFolder folder;
  model::Provenance provenance;
  provenance.architecture = "tiny";
  provenance.seed = 77;
  provenance.metrics = R"({"split": "validation"})";
  const auto model = exported(trained(GetParam()), provenance);
  EXPECT_EQ(model->labels, (std::vector<std::string>{"x", "y", "z"}));
  EXPECT_EQ(model->temperatures, std::vector<float>(3, 1.0F));
  EXPECT_EQ(model->provenance, provenance);
  ASSERT_TRUE(model->self_test.has_value());
  ASSERT_TRUE(model::save(*model, folder / "tiny.bittern").ok());
  const auto opened = model::open(folder / "tiny.bittern").value();
  model::expect_same(*model, *opened);
  EXPECT_TRUE(runtime::run_self_test(opened).ok());
}

// What the model holds is a copy: training goes on without changing it.
TEST_P(Exporter, DoesNotShareMemoryWithTheTraining) {
  const TrainableNetwork network = trained(GetParam());
  const auto model = exported(network), before = exported(network);
  const at::NoGradGuard no_grad;
  for (const NamedTensor& tensor : network.state()) {
    at::Tensor value = tensor.value;
    value.fill_(0.125);
  }
  model::expect_same(*before, *model);
}

INSTANTIATE_TEST_SUITE_P(, Exporter, testing::Values(BinaryOptimizer::kBop, BinaryOptimizer::kAdam),
                         [](const auto& info) {
                           return info.param == BinaryOptimizer::kBop ? "Bop" : "Adam";
                         });

TEST(ExportModel, RefusesWhatIsNoModel) {
  const TrainableNetwork network = trained(BinaryOptimizer::kBop);
  const features::LogMelSpec front_end = model::front_end_for(network.network().input_shape());
  EXPECT_FALSE(export_model(network, front_end, {"x", "y"}, {}).ok());
  EXPECT_FALSE(export_model(network, features::LogMelSpec(), {"x", "y", "z"}, {}).ok());
  // Weights that ran away.
  const at::NoGradGuard no_grad;
  at::Tensor bias = network.tensors(network.network().exits()[1]).bias;
  bias.fill_(std::nanf(""));
  EXPECT_FALSE(export_model(network, front_end, {"x", "y", "z"}, {}).ok());
}

TEST(SourceDate, IsReadFromTheEnvironmentOnly) {
  const auto date_of = [](const char* seconds) {
    ::setenv("SOURCE_DATE_EPOCH", seconds, 1);
    Expected<std::string> date = source_date();
    ::unsetenv("SOURCE_DATE_EPOCH");
    return date;
  };
  ::unsetenv("SOURCE_DATE_EPOCH");
  EXPECT_EQ(source_date().value(), "");
  EXPECT_EQ(date_of("0").value(), "1970-01-01T00:00:00Z");
  EXPECT_EQ(date_of("951782400").value(), "2000-02-29T00:00:00Z");
  EXPECT_EQ(date_of("253402300799").value(), "9999-12-31T23:59:59Z");
  for (const char* wrong : {"", "-1", "253402300800", "now", "1e9", "12 ", "99999999999999999999"}) {
    const Expected<std::string> date = date_of(wrong);
    ASSERT_FALSE(date.ok()) << wrong;
    EXPECT_NE(date.error().message.find("SOURCE_DATE_EPOCH"), std::string::npos);
  }
}

}  // namespace
}  // namespace bittern::training
