#include "graph/architecture.h"

#include <algorithm>
#include <array>

#include "graph/architectures/list.h"
#include "graph/prune.h"

namespace bittern::graph {

namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  for (;;) {
    const std::size_t comma = text.find(',');
    parts.emplace_back(text.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    text.remove_prefix(comma + 1);
  }
}

Error unknown_layer(const Architecture& architecture, std::string_view design, std::string_view placement,
                    std::string_view name) {
  std::string message = "placement '";
  message.append(placement).append("': '").append(name).append("' is neither a preset (");
  for (const Placement& preset : architecture.placements(design)) message.append(preset.name).append(", ");
  message.resize(message.size() - 2);
  return not_found(message.append(") nor a layer of ").append(architecture.name).append(" (such as s1.b2)"));
}

Error out_of_order(std::string_view placement, std::string_view name, std::string_view before) {
  std::string message = "placement '";
  message.append(placement).append("': ").append(name).append(" does not stand behind ").append(before);
  return invalid_argument(message + "; name each layer once, shallow to deep");
}

// The layers that `placement` names, as indices into the backbone's.
Expected<std::vector<int>> resolve(const Architecture& architecture, std::string_view design,
                                   const std::vector<Layer>& layers, std::string_view placement) {
  std::vector<std::string> names = split(placement);
  for (const Placement& preset : architecture.placements(design))
    if (preset.name == placement) names = preset.layers;
  std::vector<int> places;
  for (const std::string& name : names) {
    const auto found =
        std::find_if(layers.begin(), layers.end(), [&](const Layer& layer) { return layer.name == name; });
    if (found == layers.end()) return unknown_layer(architecture, design, placement, name);
    const int place = static_cast<int>(found - layers.begin());
    if (!places.empty() && place <= places.back())
      return out_of_order(placement, name, layers[static_cast<std::size_t>(places.back())].name);
    places.push_back(place);
  }
  if (places.size() > kMaxExits) {
    return invalid_argument("placement names " + std::to_string(places.size()) + " layers; at most " +
                            std::to_string(kMaxExits) + " exits are possible");
  }
  return places;
}

// Puts an exit right behind each of `places` (ascending) and drops what no exit needs.
std::vector<Layer> with_exits(const std::vector<Layer>& backbone, const std::vector<int>& places,
                              const Exit& exit) {
  std::vector<Layer> layers;
  std::vector<int> renumbered;
  std::vector<int> exits;
  for (const Layer& layer : backbone) {
    const int old = static_cast<int>(renumbered.size());
    const int place = static_cast<int>(layers.size());
    renumbered.push_back(place);
    layers.push_back(layer);
    for (int& input : layers.back().inputs) input = renumbered[static_cast<std::size_t>(input)];
    if (exits.size() == places.size() || places[exits.size()] != old) continue;
    exits.push_back(place + 1);
    layers.push_back({"exit" + std::to_string(exits.size()), exit, {place}, {}});
  }
  return prune(layers, exits);
}

}  // namespace

std::span<const Architecture> architectures() {
#define BITTERN_ARCHITECTURE(constant) constant,
#define BITTERN_FAMILY(constant)
  static const std::array list = {
#include "graph/architectures/list.inc"
  };
#undef BITTERN_FAMILY
#undef BITTERN_ARCHITECTURE
  return list;
}

std::span<const Architecture> families() {
#define BITTERN_ARCHITECTURE(constant)
#define BITTERN_FAMILY(constant) constant,
  static const std::array list = {
#include "graph/architectures/list.inc"
  };
#undef BITTERN_FAMILY
#undef BITTERN_ARCHITECTURE
  return list;
}

std::vector<std::string> architecture_names() {
  std::vector<std::string> names;
  for (const Architecture& architecture : architectures()) names.emplace_back(architecture.name);
  for (const Architecture& family : families()) names.push_back(std::string(family.name) + ":DESIGN");
  return names;
}

std::string_view design_of(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? std::string_view() : name.substr(colon + 1);
}

Expected<const Architecture*> find_architecture(std::string_view name) {
  const std::string_view plain = name.substr(0, name.find(':'));
  const bool designed = plain.size() < name.size();
  for (const Architecture& architecture : designed ? families() : architectures()) {
    if (architecture.name != plain) continue;
    if (designed) BITTERN_RETURN_IF_ERROR(architecture.check_design(design_of(name)));
    return &architecture;
  }
  std::string message = "unknown architecture '" + std::string(name) + "'; known: ";
  for (const std::string& known : architecture_names()) message.append(known).append(", ");
  message.resize(message.size() - 2);
  return not_found(std::move(message));
}

Expected<Network> build(const BuildOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(const Architecture* architecture, find_architecture(options.architecture));
  if (options.classes < 2 || options.classes > kMaxClasses) {
    return invalid_argument("the number of classes is " + std::to_string(options.classes) +
                            ", must be 2 to " + std::to_string(kMaxClasses));
  }
  const std::string_view design = design_of(options.architecture);
  Builder builder(options.input);
  const int last = architecture->backbone(builder, design);
  if (options.original) architecture->head(builder, last, options.classes);
  if (!builder.status()) {
    return Error{builder.status().error().code, std::string(architecture->name) + " with input " +
                                                    to_string(options.input) + ": " +
                                                    builder.status().error().message};
  }
  if (options.original) return Network::create(options.architecture, builder.layers());
  BITTERN_ASSIGN_OR_RETURN(const std::vector<int> places,
                           resolve(*architecture, design, builder.layers(), options.placement));
  Exit exit;
  exit.pool = options.pool;
  exit.dense = options.dense.value_or(architecture->exit_dense);
  exit.classes = options.classes;
  return Network::create(options.architecture, with_exits(builder.layers(), places, exit));
}

}  // namespace bittern::graph
