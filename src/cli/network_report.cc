#include "cli/network_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/output.h"
#include "core/text.h"
#include "evaluation/report.h"
#include "graph/counts.h"
#include "json/text.h"

namespace bittern::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(graph::Extent extent) { return fmt::format("{}x{}", extent.time, extent.frequency); }

Json json_of(const graph::Shape& shape) { return {shape.time, shape.frequency, shape.channels}; }

// The attributes that shapes do not tell, in a few words.
struct Words {
  const graph::Shape& in;

  static std::string sliding(graph::Extent kernel, graph::Extent stride, graph::Padding padding) {
    std::string words = text_of(kernel);
    if (stride != graph::Extent{}) words += ", stride " + text_of(stride);
    if (padding == graph::Padding::kValid && kernel != graph::Extent{}) words += ", unpadded";
    return words;
  }
  std::string operator()(const graph::Conv2d& op) const {
    std::string words = sliding(op.kernel, op.stride, op.padding);
    if (op.groups > 1 && op.groups == in.channels)
      words += ", depthwise";
    else if (op.groups > 1)
      words += fmt::format(", {} groups", op.groups);
    if (op.bias) words += ", bias";
    if (!op.trainable) words += ", fixed";
    if (op.int8)
      words += fmt::format(", int8 of {} levels a unit, {} below 0", op.int8->scale, op.int8->zero);
    return words;
  }
  std::string operator()(const graph::BinaryConv2d& op) const {
    std::string words = sliding(op.kernel, op.stride, op.padding);
    if (op.padding == graph::Padding::kSame)
      words += op.pad_value == graph::BinaryPadding::kOne ? ", padded with +1" : ", padded with 0";
    if (op.has_scale()) words += ", scaled";
    return words;
  }
  std::string operator()(const graph::MaxPool& op) const { return sliding(op.kernel, op.stride, op.padding); }
  std::string operator()(const graph::AvgPool& op) const { return sliding(op.kernel, op.stride, op.padding); }
  std::string operator()(const graph::Exit& op) const {
    std::string words = op.relu ? "relu, " : "";
    if (op.norm == graph::ExitNorm::kBeforePool) words += "batch norm, ";
    words += op.pool == graph::ExitPool::kTime ? "mean over time, " : "mean over time and frequency, ";
    if (op.norm == graph::ExitNorm::kAfterPool) words += "batch norm, ";
    words += op.dense == graph::ExitDense::kBinary ? "1-bit"
             : op.dense == graph::ExitDense::kInt8 ? "int8"
                                                   : "float";
    return words + fmt::format(" dense {}x{}", graph::dense_inputs(op, in), op.classes);
  }
  template <class Other>
  std::string operator()(const Other&) const {
    return {};
  }
};

std::string words_of(const graph::Network& network, int index) {
  if (index == 0) return {};
  return std::visit(Words{network.input_of(index)}, network.layer(index).op);
}

std::vector<std::string> reads(const graph::Network& network, int index) {
  std::vector<std::string> names;
  for (const int input : network.layer(index).inputs) names.push_back(network.layer(input).name);
  return names;
}

Json layers_json(const graph::Network& network) {
  Json layers = Json::array();
  for (int i = 0; i < static_cast<int>(network.layers().size()); ++i) {
    const graph::Macs macs = graph::macs_of(network, i);
    layers.push_back({{"layer", network.layer(i).name},
                      {"kind", graph::kind(network.layer(i).op)},
                      {"inputs", reads(network, i)},
                      {"attributes", words_of(network, i)},
                      {"shape", json_of(network.shape_of(i))},
                      {"macs_binary", macs.binary},
                      {"macs_float", macs.floating}});
    add_int8(layers.back(), macs);
  }
  return layers;
}

std::string layers_text(const graph::Network& network) {
  using Align = Table::Align;
  Table table({{"layer", Align::kLeft},
               {"kind", Align::kLeft},
               {"output", Align::kLeft},
               {"binary MACs"},
               {"float MACs"},
               {"reads", Align::kLeft},
               {"attributes", Align::kLeft}});
  for (int i = 0; i < static_cast<int>(network.layers().size()); ++i) {
    const graph::Macs macs = graph::macs_of(network, i);
    table.add({network.layer(i).name, std::string(graph::kind(network.layer(i).op)),
               graph::to_string(network.shape_of(i)), grouped(macs.binary), grouped(macs.floating),
               fmt::format("{}", fmt::join(reads(network, i), ", ")), words_of(network, i)});
  }
  return table.str();
}

std::string exits_text(const NetworkReport& report, const graph::Counts& counts) {
  using Align = Table::Align;
  std::vector<Table::Column> columns{{"exit"},        {"layer", Align::kLeft}, {"output", Align::kLeft},
                                     {"binary MACs"}, {"float MACs"},          {"share"},
                                     {"own MACs"}};
  if (!report.temperatures.empty()) columns.push_back({"temperature"});
  Table table(std::move(columns));
  for (const graph::ExitCounts& exit : counts.exits) {
    const auto i = static_cast<std::size_t>(exit.exit) - 1;
    table.add({fmt::format("{}", exit.exit), exit.layer,
               graph::to_string(report.network->input_of(report.network->exits()[i])),
               grouped(exit.cumulative.binary), grouped(exit.cumulative.floating),
               fmt::format("{:.1f} %", exit.share * 100), grouped(exit.macs_exit),
               report.temperatures.empty() ? "" : fmt::format("{}", report.temperatures[i])});
  }
  return table.str();
}

}  // namespace

void add_int8(Json& row, const graph::Macs& macs) {
  if (macs.int8 > 0) row["macs_int8"] = macs.int8;
}

Json network_json(const NetworkReport& report) {
  const graph::Network& network = *report.network;
  const graph::Counts counts = graph::count(network);
  const std::int64_t extra = 2 * counts.batch_norm_channels;
  Json json{{"architecture", network.architecture()}};
  if (!report.placement.empty()) json["placement"] = report.placement;
  json["input"] = json_of(network.input_shape());
  json["classes"] = network.classes();
  json["parameters"] = {{"total", counts.parameters()},
                        {"binary", counts.binary_parameters},
                        {"float", counts.float_parameters},
                        {"total_batch_norm_as_4", counts.parameters() + extra},
                        {"float_batch_norm_as_4", counts.float_parameters + extra}};
  if (counts.int8_parameters > 0) json["parameters"]["int8"] = counts.int8_parameters;
  json["packed_mib"] = counts.packed_mib();
  json["float32_mib"] = counts.float32_mib();
  json["exits"] = Json::array();
  for (const graph::ExitCounts& exit : counts.exits) {
    const auto i = static_cast<std::size_t>(exit.exit) - 1;
    Json row{{"exit", exit.exit},
             {"layer", exit.layer},
             {"shape", json_of(network.input_of(network.exits()[i]))},
             {"macs_binary", exit.cumulative.binary},
             {"macs_float", exit.cumulative.floating},
             {"macs_share", exit.share},
             {"macs_exit", exit.macs_exit}};
    add_int8(row, exit.cumulative);
    if (!report.temperatures.empty()) row["temperature"] = json::shortest(report.temperatures[i]);
    json["exits"].push_back(std::move(row));
  }
  if (report.layers) json["layers"] = layers_json(network);
  return json;
}

std::string network_text(const NetworkReport& report) {
  const graph::Network& network = *report.network;
  const graph::Counts counts = graph::count(network);
  const std::int64_t extra = 2 * counts.batch_norm_channels;
  std::string text = fmt::format("network       {}\n", one_line(network.architecture()));
  if (!report.placement.empty()) text += fmt::format("placement     {}\n", one_line(report.placement));
  text += fmt::format("input         {} (time x frequency x channels)\n",
                      graph::to_string(network.input_shape()));
  text += fmt::format("classes       {}\n\n", network.classes());
  text += fmt::format("parameters    {:>12}   {:>12} with batch norm as 4 a channel\n",
                      grouped(counts.parameters()), grouped(counts.parameters() + extra));
  text += fmt::format("  1-bit       {:>12}\n", grouped(counts.binary_parameters));
  text += fmt::format("  float       {:>12}   {:>12} with batch norm as 4 a channel\n",
                      grouped(counts.float_parameters), grouped(counts.float_parameters + extra));
  if (counts.int8_parameters > 0)
    text += fmt::format("    as int8   {:>12}\n", grouped(counts.int8_parameters));
  text += fmt::format("packed        {:>12.3f} MiB\n", counts.packed_mib());
  text += fmt::format("float32       {:>12.3f} MiB\n\n", counts.float32_mib());
  text += exits_text(report, counts);
  text +=
      "MACs up to the exit; share: of (binary / 64 + float) over the whole network; own: of the exit's dense "
      "layer, counted apart\n";
  if (const std::int64_t int8 = counts.exits.empty() ? 0 : counts.exits.back().cumulative.int8; int8 > 0)
    text += fmt::format("of the float MACs {} are in int8: four of them count as one\n", grouped(int8));
  if (report.layers) text += "\n" + layers_text(network);
  return text;
}

}  // namespace bittern::cli
