#include "convert/keras_config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <limits>
#include <nlohmann/json.hpp>

namespace bittern::convert {
namespace {

using Json = nlohmann::json;

const Json& member(const Json& json, const char* key) {
  static const Json none;
  const auto found = json.is_object() ? json.find(key) : json.end();
  return json.is_object() && found != json.end() ? *found : none;
}

std::string text(const Json& json) { return json.is_string() ? json.get<std::string>() : ""; }

// "SteSign", "Larq>SteSign" and "ste_sign" are one quantizer: "ste_sign".
std::string snake_case(std::string name) {
  name.erase(0, name.rfind('>') == std::string::npos ? 0 : name.rfind('>') + 1);
  std::string snake;
  for (const char c : name) {
    const bool upper = std::isupper(static_cast<unsigned char>(c)) != 0;
    if (upper && !snake.empty()) snake += '_';
    snake += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return snake;
}

// A quantizer or an activation: its name, or an object with its class.
std::string function_name(const Json& json) {
  return snake_case(json.is_object() ? text(member(json, "class_name")) : text(json));
}

// An int, or the nearest one.
int whole_number(const Json& json) {
  constexpr double kLeast = std::numeric_limits<int>::min(), kMost = std::numeric_limits<int>::max();
  return static_cast<int>(std::clamp(json.get<double>(), kLeast, kMost));
}

int largest(const Json& json, int otherwise) {
  int most = otherwise;
  if (json.is_number_integer()) most = whole_number(json);
  if (json.is_array())
    for (const Json& one : json)
      if (one.is_number_integer()) most = std::max(most, whole_number(one));
  return most;
}

// What is too large for a float becomes the largest.
float number(const Json& json, float otherwise) {
  constexpr double kMost = std::numeric_limits<float>::max();
  return json.is_number() ? static_cast<float>(std::clamp(json.get<double>(), -kMost, kMost)) : otherwise;
}

// Somewhere in inbound_nodes stand arrays ["layer", node, tensor, ...]: one for each tensor read.
void collect_inputs(const Json& json, std::vector<std::string>& inputs, int depth = 0) {
  constexpr int kDeepest = 8;
  if (depth > kDeepest) return;
  if (json.is_array() && json.size() >= 3 && json[0].is_string() && json[1].is_number_integer() &&
      json[2].is_number_integer())
    inputs.push_back(json[0].get<std::string>());
  if (json.is_structured())
    for (const Json& one : json) collect_inputs(one, inputs, depth + 1);
}

KerasSettings settings_of(const Json& layer) {
  const Json& config = member(layer, "config");
  KerasSettings settings;
  settings.kind = text(member(layer, "class_name"));
  settings.kind.erase(0, settings.kind.find('>') == std::string::npos ? 0 : settings.kind.find('>') + 1);
  collect_inputs(member(layer, "inbound_nodes"), settings.inputs);
  settings.activation = function_name(member(config, "activation"));
  const bool depthwise = config.is_object() && config.contains("depthwise_quantizer");
  settings.kernel_quantizer =
      function_name(member(config, depthwise ? "depthwise_quantizer" : "kernel_quantizer"));
  settings.input_quantizer = function_name(member(config, "input_quantizer"));
  settings.pad_values = number(member(config, "pad_values"), 0);
  settings.stride = largest(member(config, "strides"), 1);
  settings.dilation = largest(member(config, "dilation_rate"), 1);
  settings.epsilon = number(member(config, "epsilon"), settings.epsilon);
  const Json& shape = member(config, "batch_input_shape");
  for (std::size_t i = 1; shape.is_array() && i < shape.size(); ++i)
    settings.input_shape.push_back(shape[i].is_number_integer() ? whole_number(shape[i]) : -1);
  return settings;
}

}  // namespace

Expected<KerasConfig> KerasConfig::parse(const std::string& text_of_model) {
  KerasConfig result;
  if (text_of_model.empty()) return result;
  const Json model = Json::parse(text_of_model, nullptr, false);
  const Json& layers = member(member(model, "config"), "layers");
  if (!layers.is_array() || layers.empty())
    return unsupported("its model_config is not a functional model's; use a file of save_weights()");
  std::string before;
  for (const Json& layer : layers) {
    std::string name = text(member(member(layer, "config"), "name"));
    if (name.empty()) name = text(member(layer, "name"));
    if (name.empty()) return corrupt("its model_config has a layer without a name");
    if (result.layers_.contains(name)) return corrupt("its model_config has the layer " + name + " twice");
    KerasSettings settings = settings_of(layer);
    if (!(settings.epsilon > 0 && settings.epsilon < 1))
      return corrupt(
          fmt::format("its model_config gives the layer {} the epsilon {}", name, settings.epsilon));
    // A sequential model does not say it: each layer reads the one before.
    if (settings.inputs.empty() && settings.kind != "InputLayer" && !before.empty())
      settings.inputs.push_back(before);
    before = name;
    result.layers_[name] = std::move(settings);
  }
  return result;
}

const KerasSettings* KerasConfig::find(const std::string& layer) const {
  const auto found = layers_.find(layer);
  return found == layers_.end() ? nullptr : &found->second;
}

int KerasConfig::readers(const std::string& layer) const {
  return static_cast<int>(std::count_if(layers_.begin(), layers_.end(), [&](const auto& one) {
    const auto& inputs = one.second.inputs;
    return std::find(inputs.begin(), inputs.end(), layer) != inputs.end();
  }));
}

std::set<std::string> KerasConfig::ancestors(const std::string& layer) const {
  std::set<std::string> found{layer};
  std::vector<std::string> open{layer};
  while (!open.empty()) {
    const KerasSettings* settings = find(open.back());
    open.pop_back();
    if (settings == nullptr) continue;
    for (const std::string& input : settings->inputs)
      if (found.insert(input).second) open.push_back(input);
  }
  return found;
}

}  // namespace bittern::convert
