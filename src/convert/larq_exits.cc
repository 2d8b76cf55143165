#include "convert/larq_exits.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace bittern::convert {
namespace {

using Kind = LarqExit::Step::Kind;
using Layers = std::vector<const KerasLayer*>;

std::vector<const KerasLayer*> all(const KerasFile& file, bool (*wanted)(const KerasLayer&)) {
  Layers found;
  for (const KerasLayer& layer : file.layers)
    if (wanted(layer)) found.push_back(&layer);
  return found;
}

bool is_relu_name(const std::string& name) {
  const std::string base = split_number(name).first;
  return base == "activation" || base == "re_lu" || base.ends_with("relu");
}
bool is_pool_name(const std::string& name) {
  // Larq Zoo's own heads average over a window as large as the map, then flatten.
  return name.starts_with("global_average_pooling2d") || name.starts_with("average_pooling2d") ||
         name.ends_with("globalpool") || name.ends_with("globalpool_pool");
}

// ---- From the config.

// One step back from the dense layer; false: this is no part of an exit.
Expected<bool> step_back(const std::string& name, const KerasSettings& settings, bool pooled,
                         LarqExit& exit) {
  const auto add = [&](Kind kind) { exit.before.insert(exit.before.begin(), {kind, name}); };
  // A smaller window shows: the dense layer then reads more than the channels.
  if (settings.kind == "GlobalAveragePooling2D" || settings.kind == "AveragePooling2D") {
    if (pooled) return unsupported(fmt::format("exit {}: pools twice", exit.dense));
    add(Kind::kPool);
  } else if (settings.kind == "BatchNormalization") {
    add(Kind::kNorm);
  } else if (settings.kind == "ReLU" || (settings.kind == "Activation" && settings.activation == "relu")) {
    add(Kind::kRelu);
  } else if (settings.kind != "Dropout" && settings.kind != "SpatialDropout2D" &&
             !(settings.kind == "Flatten" && !pooled) &&
             !(settings.kind == "Activation" && settings.activation == "linear")) {
    if (pooled) return false;
    return unsupported(fmt::format(
        "exit {}: reads {}, a {}; an exit is GlobalAveragePooling2D and a dense layer, batch norms and ReLU",
        exit.dense, name, settings.kind));
  }
  return true;
}

Expected<LarqExit> exit_from_config(const KerasConfig& config, const std::string& dense) {
  LarqExit exit;
  exit.dense = dense;
  const KerasSettings* at = config.find(dense);
  if (at == nullptr) return corrupt("model_config lacks the layer " + dense);
  bool pooled = false;
  constexpr int kMostLayers = 16;  // of an exit; layers that read each other would have no end
  for (int steps = 0;; ++steps) {
    if (steps == kMostLayers) return unsupported(fmt::format("exit {}: too many layers", dense));
    if (at->inputs.size() != 1) return unsupported(fmt::format("exit {}: reads several layers", dense));
    const std::string name = at->inputs.front();
    at = config.find(name);
    if (at == nullptr) return corrupt("model_config lacks the layer " + name);
    // Others read it too: it is the network's, whatever it is.
    bool belongs = !(pooled && config.readers(name) > 1);
    if (belongs) {
      BITTERN_ASSIGN_OR_RETURN(belongs, step_back(name, *at, pooled, exit));
    }
    if (!belongs) {
      exit.reads = name;
      break;
    }
    pooled = pooled || (!exit.before.empty() && exit.before.front().kind == Kind::kPool);
  }
  for (const auto& [name, settings] : config.layers()) {
    if (settings.inputs == std::vector<std::string>{dense} && settings.kind == "BatchNormalization")
      exit.norm_after = name;
  }
  return exit;
}

// ---- From names alone. Keras lists layers by their distance from the outputs, so the network's own batch
// norms come before those of exits that are all built alike.

struct Order {
  const KerasFile& file;
  std::map<std::string, int> places;

  explicit Order(const KerasFile& from) : file(from) {
    for (int i = 0; i < static_cast<int>(from.layers.size()); ++i)
      places[from.layers[static_cast<std::size_t>(i)].name] = i;
  }
  int of(const KerasLayer& layer) const { return places.at(layer.name); }
};

// A network with one exit is a chain there: the order of names is the order of execution.
LarqExit only_exit(const KerasFile& file, const KerasLayer& dense, const Layers& norms, int backbone_norms) {
  const Order order(file);
  LarqExit exit;
  exit.dense = dense.name;
  const int begin = backbone_norms == 0 ? 0 : order.of(*norms[static_cast<std::size_t>(backbone_norms) - 1]);
  for (int i = begin + 1; i < static_cast<int>(file.layers.size()); ++i) {
    const KerasLayer& layer = file.layers[static_cast<std::size_t>(i)];
    const bool after = i > order.of(dense);
    if (is_norm(layer) && after) exit.norm_after = layer.name;
    if (after) continue;
    if (is_norm(layer)) exit.before.push_back({Kind::kNorm, layer.name});
    if (is_pool_name(layer.name)) exit.before.push_back({Kind::kPool, layer.name});
    if (is_relu_name(layer.name)) exit.before.push_back({Kind::kRelu, layer.name});
  }
  return exit;
}

bool sizes_match(const Layers& norms, const Layers& denses, std::size_t side) {
  for (std::size_t i = 0; i < denses.size(); ++i)
    if (norms[i]->find("moving_mean")->shape.front() != denses[i]->find("kernel")->shape[side]) return false;
  return true;
}

Error cannot_tell(std::size_t norms, std::size_t exits, int relus) {
  return unsupported(
      fmt::format("names do not tell which of {} further batch norms and {} ReLU belong to which of {} "
                  "exits; is it another "
                  "architecture? If not, save the whole model (model.save(\"x.h5\"))",
                  norms, std::max(relus, 0), exits));
}

// The norms of all exits, before and after their dense layers; either may be empty.
bool split_norms(Layers norms, const Layers& denses, Layers& before, Layers& after) {
  const std::size_t exits = denses.size();
  sort_by_number(norms);
  if (norms.empty()) return true;
  if (norms.size() == exits) {
    const bool fits_before = sizes_match(norms, denses, 0);
    if (fits_before == sizes_match(norms, denses, 1)) return false;
    (fits_before ? before : after) = norms;
    return true;
  }
  if (norms.size() != 2 * exits) return false;
  // Made exit by exit, or all of the one kind first.
  for (const bool alternating : {true, false}) {
    before.clear();
    after.clear();
    for (std::size_t i = 0; i < norms.size(); ++i)
      ((alternating ? i % 2 == 0 : i < exits) ? before : after).push_back(norms[i]);
    if (sizes_match(before, denses, 0) && sizes_match(after, denses, 1)) return true;
  }
  return false;
}

Expected<std::vector<LarqExit>> exits_from_names(const KerasFile& file, const Layers& denses,
                                                 const BackboneCounts& backbone) {
  const Layers norms = all(file, is_norm);
  const auto own = static_cast<std::size_t>(backbone.norms);
  if (norms.size() < own)
    return corrupt(fmt::format(
        "{} batch norms, fewer than the {} of the network; is it another architecture?", norms.size(), own));
  if (denses.size() == 1) return std::vector{only_exit(file, *denses[0], norms, backbone.norms)};
  const Order order(file);
  int first_dense = order.of(*denses[0]);
  for (const KerasLayer* dense : denses) first_dense = std::min(first_dense, order.of(*dense));
  int relus = -backbone.relus;
  int relu_place = 0, pool_place = 0;
  for (int i = 0; i < first_dense; ++i) {
    const KerasLayer& layer = file.layers[static_cast<std::size_t>(i)];
    if (layer.weights.empty() && is_relu_name(layer.name)) {
      ++relus;
      relu_place = i;
    }
    if (is_pool_name(layer.name)) pool_place = i;
  }
  Layers rest(norms.begin() + static_cast<std::ptrdiff_t>(own), norms.end());
  const std::size_t extra = rest.size();
  // The published networks end in a batch norm, a ReLU and the pool: only the last exit has them.
  const KerasLayer* head = nullptr;
  if (extra % denses.size() == 1 && relus == 1) {
    head = rest.front();
    rest.erase(rest.begin());
  }
  Layers before, after;
  const bool relu_everywhere = relus == static_cast<int>(denses.size());
  if ((relus != 0 && relus != 1 && !relu_everywhere) || pool_place == 0 ||
      !split_norms(rest, denses, before, after) || (relus == 1 && head == nullptr && !before.empty()))
    return cannot_tell(extra, denses.size(), relus);
  std::vector<LarqExit> exits;
  for (std::size_t i = 0; i < denses.size(); ++i) {
    const bool last = i + 1 == denses.size();
    std::vector<std::pair<int, LarqExit::Step>> steps{{pool_place, {Kind::kPool, ""}}};
    if (relu_everywhere || (relus == 1 && last)) steps.push_back({relu_place, {Kind::kRelu, ""}});
    if (!before.empty()) steps.push_back({order.of(*before.back()), {Kind::kNorm, before[i]->name}});
    if (last && head != nullptr) steps.push_back({order.of(*head), {Kind::kNorm, head->name}});
    std::stable_sort(steps.begin(), steps.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });
    LarqExit exit;
    for (auto& step : steps) exit.before.push_back(std::move(step.second));
    exit.dense = denses[i]->name;
    if (!after.empty()) exit.norm_after = after[i]->name;
    exits.push_back(std::move(exit));
  }
  return exits;
}

}  // namespace

std::pair<std::string, int> split_number(const std::string& name) {
  const std::size_t digits = name.find_last_not_of("0123456789") + 1;
  int number = -1;
  if (digits < 2 || digits == name.size() || name[digits - 1] != '_') return {name, number};
  std::from_chars(name.data() + digits, name.data() + name.size(), number);
  return {name.substr(0, digits - 1), number};
}

void sort_by_number(std::vector<const KerasLayer*>& layers) {
  for (const KerasLayer* layer : layers)
    if (split_number(layer->name).first != split_number(layers.front()->name).first) return;
  std::stable_sort(layers.begin(), layers.end(), [](const KerasLayer* a, const KerasLayer* b) {
    return split_number(a->name).second < split_number(b->name).second;
  });
}

bool is_norm(const KerasLayer& layer) {
  const KerasWeight* mean = layer.find("moving_mean");
  return mean != nullptr && mean->shape.size() == 1 && layer.find("moving_variance") != nullptr;
}

bool is_dense(const KerasLayer& layer) {
  const KerasWeight* kernel = layer.find("kernel");
  return kernel != nullptr && kernel->shape.size() == 2;
}

Expected<std::vector<LarqExit>> find_exits(const KerasFile& file, const KerasConfig& config,
                                           const BackboneCounts& backbone) {
  Layers denses = all(file, is_dense);
  if (denses.empty())
    return unsupported("no dense layer: a network without an exit (include_top=False?) cannot classify");
  sort_by_number(denses);
  if (config.empty()) return exits_from_names(file, denses, backbone);
  std::vector<LarqExit> exits;
  for (const KerasLayer* dense : denses) {
    BITTERN_ASSIGN_OR_RETURN(LarqExit exit, exit_from_config(config, dense->name));
    exits.push_back(std::move(exit));
  }
  std::stable_sort(exits.begin(), exits.end(), [&](const LarqExit& a, const LarqExit& b) {
    return config.ancestors(a.reads).size() < config.ancestors(b.reads).size();
  });
  return exits;
}

}  // namespace bittern::convert
