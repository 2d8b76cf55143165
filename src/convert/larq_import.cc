#include "convert/larq_import.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "convert/keras_config.h"
#include "convert/keras_file.h"
#include "convert/larq_exits.h"
#include "convert/larq_layers.h"
#include "convert/larq_weights.h"
#include "core/text.h"
#include "graph/architecture.h"
#include "model/random_weights.h"

namespace bittern::convert {
namespace {

constexpr const char* kMagnitudeAware = "magnitude_aware_sign";

bool is_sign(const std::string& quantizer) {
  return quantizer == "ste_sign" || quantizer == "approx_sign" || quantizer == "swish_sign";
}

class Import {
 public:
  Import(const KerasFile& file, KerasConfig config, const LarqOptions& options)
      : file_(file), config_(std::move(config)), options_(options) {}

  Expected<LarqImport> run() {
    BITTERN_RETURN_IF_ERROR(build_pattern());
    BITTERN_ASSIGN_OR_RETURN(exits_, find_exits(file_, config_, counts()));
    BITTERN_RETURN_IF_ERROR(check_norms());
    std::set<std::string> theirs;
    for (const LarqExit& exit : exits_) {
      theirs.insert({exit.dense, exit.norm_after});
      for (const LarqExit::Step& step : exit.before) theirs.insert(step.layer);
    }
    BITTERN_ASSIGN_OR_RETURN(matched_, match_layers(file_, pattern_, theirs));
    BITTERN_RETURN_IF_ERROR(check_places());
    BITTERN_RETURN_IF_ERROR(rebuild());
    BITTERN_RETURN_IF_ERROR(fill());
    return LarqImport{std::move(model_), std::move(assumed_)};
  }

 private:
  // What a layer of the new network is made from.
  struct Source {
    std::vector<const KerasLayer*> layers;
    ExitParts exit;
  };

  // The architecture as it is published, with as many exits as the file has.
  Status build_pattern() {
    int exits = 0, classes = 0;
    for (const KerasLayer& layer : file_.layers) {
      if (!is_dense(layer)) continue;
      ++exits;
      const int these = layer.find("kernel")->shape[1];
      if (exits > 1 && these != classes)
        return unsupported(
            fmt::format("layer {}: {} classes, the exits before it have {}", layer.name, these, classes));
      classes = these;
    }
    if (exits == 0)
      return unsupported("no dense layer: a network without an exit cannot classify (include_top=False?)");
    BITTERN_ASSIGN_OR_RETURN(const graph::Architecture* architecture,
                             graph::find_architecture(options_.architecture));
    graph::BuildOptions wanted;
    wanted.architecture = options_.architecture;
    wanted.classes = classes;
    wanted.pool = graph::ExitPool::kGlobal;
    wanted.placement = options_.placement;
    if (wanted.placement.empty() && exits == 1) {
      for (const graph::Placement& one : architecture->placements(graph::design_of(options_.architecture)))
        if (one.name == "paper") wanted.placement = one.layers.back();
    }
    if (wanted.placement.empty()) wanted.placement = "paper";
    for (const auto& [name, settings] : config_.layers()) {
      if (settings.kind != "InputLayer" || settings.input_shape.size() != 3) continue;
      if (settings.input_shape[0] > 0) wanted.input.time = settings.input_shape[0];
      if (settings.input_shape[1] > 0) wanted.input.frequency = settings.input_shape[1];
    }
    BITTERN_ASSIGN_OR_RETURN(pattern_, graph::build(wanted));
    // The published head's batch norm, where it has one: a file of weights does not tell its epsilon.
    wanted.original = true;
    BITTERN_ASSIGN_OR_RETURN(const graph::Network original, graph::build(wanted));
    for (const graph::Layer& layer : original.layers())
      if (const auto* norm = std::get_if<graph::BatchNorm>(&layer.op)) head_epsilon_ = norm->epsilon;
    placement_ = wanted.placement;
    if (pattern_.exit_count() != exits)
      return invalid_argument(
          fmt::format("{} (dense layers), --placement {} has {}; name the layers that they read, or is it "
                      "another architecture?",
                      counted(exits, "exit"), placement_, pattern_.exit_count()));
    return {};
  }

  BackboneCounts counts() const {
    BackboneCounts counts;
    for (const graph::Layer& layer : pattern_.layers()) {
      if (std::holds_alternative<graph::BatchNorm>(layer.op)) ++counts.norms;
      // Behind a binary convolution it is that layer's activation.
      if (std::holds_alternative<graph::Relu>(layer.op) &&
          !std::holds_alternative<graph::BinaryConv2d>(pattern_.layer(layer.inputs[0]).op))
        ++counts.relus;
    }
    return counts;
  }

  // All layers of the pattern that `layer` needs, itself too.
  std::set<int> ancestors(int layer) const {
    std::set<int> found{layer};
    for (int i = layer; i >= 0; --i) {
      if (!found.contains(i)) continue;
      found.insert(pattern_.layer(i).inputs.begin(), pattern_.layer(i).inputs.end());
    }
    return found;
  }

  // model_config may name layers that the file has no weights of.
  Status check_norms() const {
    const auto check = [&](const LarqExit& exit, const std::string& norm) -> Status {
      const KerasLayer* layer = file_.find(norm);
      if (layer != nullptr && is_norm(*layer)) return {};
      return corrupt(fmt::format("exit {}: the batch norm {} has no weights in the file", exit.dense, norm));
    };
    for (const LarqExit& exit : exits_) {
      if (!exit.norm_after.empty()) BITTERN_RETURN_IF_ERROR(check(exit, exit.norm_after));
      for (const LarqExit::Step& step : exit.before)
        if (step.kind == LarqExit::Step::Kind::kNorm) BITTERN_RETURN_IF_ERROR(check(exit, step.layer));
    }
    return {};
  }

  // Each exit must stand where --placement says, if the file tells.
  Status check_places() const {
    if (config_.empty()) return {};
    for (std::size_t k = 0; k < exits_.size(); ++k) {
      std::set<std::string> wanted, found;
      const int reads = pattern_.layer(pattern_.exits()[k]).inputs.front();
      for (const int i : ancestors(reads))
        for (const KerasLayer* layer : matched_[static_cast<std::size_t>(i)]) wanted.insert(layer->name);
      for (const std::string& name : config_.ancestors(exits_[k].reads)) {
        const KerasLayer* layer = file_.find(name);
        if (layer != nullptr && !layer->weights.empty()) found.insert(name);
      }
      if (wanted != found)
        return invalid_argument(fmt::format(
            "exit {} ({}) reads {}, which is not {} of {}; say where exits stand with --placement", k + 1,
            exits_[k].dense, exits_[k].reads, pattern_.layer(reads).name, options_.architecture));
    }
    return {};
  }

  // The pattern with the file's widths, quantizers and exits: layers_ and sources_.
  Status rebuild() {
    std::vector<int> renumbered;
    int exit = 0;
    for (int i = 0; i < static_cast<int>(pattern_.layers().size()); ++i) {
      graph::Layer layer = pattern_.layer(i);
      for (int& input : layer.inputs) input = renumbered[static_cast<std::size_t>(input)];
      if (std::holds_alternative<graph::Exit>(layer.op)) {
        BITTERN_RETURN_IF_ERROR(add_exit(exit++, std::move(layer)));
      } else {
        const auto& from = matched_[static_cast<std::size_t>(i)];
        if (!from.empty()) BITTERN_RETURN_IF_ERROR(adapt(i, *from.front(), layer.op));
        layers_.push_back(std::move(layer));
        sources_.push_back({from, {}});
      }
      renumbered.push_back(static_cast<int>(layers_.size()) - 1);
    }
    BITTERN_ASSIGN_OR_RETURN(network_, graph::Network::create(options_.architecture, std::move(layers_)));
    return {};
  }

  float epsilon_of(const std::string& layer, float otherwise) const {
    const KerasSettings* settings = config_.find(layer);
    return settings == nullptr ? otherwise : settings->epsilon;
  }

  // The kernel of a convolution: layers that were found by name may be anything.
  static Expected<const KerasWeight*> kernel_of(const KerasLayer& layer, const std::string& name) {
    const KerasWeight* kernel = layer.find(name);
    if (kernel == nullptr) return corrupt(fmt::format("layer {}: lacks its {}", layer.name, name));
    if (kernel->shape.size() != 4)
      return corrupt(
          fmt::format("layer {}: the kernel has {} dimensions, not 4", layer.name, kernel->shape.size()));
    return kernel;
  }

  Status adapt(int index, const KerasLayer& from, graph::Op& op) const {
    const KerasSettings* settings = config_.find(from.name);
    if (auto* norm = std::get_if<graph::BatchNorm>(&op)) {
      norm->epsilon = epsilon_of(from.name, norm->epsilon);
      norm->scale = from.find("gamma") != nullptr;
      norm->center = from.find("beta") != nullptr;
    } else if (auto* conv = std::get_if<graph::Conv2d>(&op)) {
      if (conv->int8)
        return unsupported(fmt::format("{}: Larq has no int8 convolutions, such as its {}",
                                       options_.architecture, pattern_.layer(index).name));
      const bool depthwise = is_depthwise(pattern_, index);
      BITTERN_ASSIGN_OR_RETURN(const KerasWeight* const kernel,
                               kernel_of(from, depthwise ? "depthwise_kernel" : "kernel"));
      const int groups = depthwise ? kernel->shape[2] : conv->groups;
      // Bounded by the number of weights in the file.
      conv->out_channels = depthwise ? groups : kernel->shape[3] * groups;
      conv->groups = groups;
      conv->bias = from.find("bias") != nullptr;
      if (settings != nullptr) {
        if (!settings->kernel_quantizer.empty() || !settings->input_quantizer.empty())
          return unsupported(fmt::format("layer {}: is quantized, {} of {} is not", from.name,
                                         pattern_.layer(index).name, options_.architecture));
        BITTERN_RETURN_IF_ERROR(check_settings(index, from, *settings, conv->stride.time));
      }
    } else if (auto* binary = std::get_if<graph::BinaryConv2d>(&op)) {
      if (from.find("bias") != nullptr)
        return unsupported(fmt::format("layer {}: a 1-bit convolution with a bias", from.name));
      BITTERN_ASSIGN_OR_RETURN(const KerasWeight* const kernel, kernel_of(from, "kernel"));
      binary->out_channels = kernel->shape[3];
      if (settings != nullptr) {
        if (!is_sign(settings->input_quantizer))
          return unsupported(
              fmt::format("layer {}: input quantizer '{}' is no sign", from.name, settings->input_quantizer));
        if (!is_sign(settings->kernel_quantizer) && settings->kernel_quantizer != kMagnitudeAware)
          return unsupported(fmt::format("layer {}: kernel quantizer '{}' is no sign", from.name,
                                         settings->kernel_quantizer));
        if (settings->pad_values != 0 && settings->pad_values != 1)
          return unsupported(
              fmt::format("layer {}: pads with {}, not 0 or 1", from.name, settings->pad_values));
        binary->kernel_quantizer = settings->kernel_quantizer == kMagnitudeAware
                                       ? graph::Quantizer::kMagnitudeAwareSign
                                       : graph::Quantizer::kSteSign;
        binary->pad_value =
            settings->pad_values == 1 ? graph::BinaryPadding::kOne : graph::BinaryPadding::kZero;
        BITTERN_RETURN_IF_ERROR(check_settings(index, from, *settings, binary->stride.time));
      }
    }
    return {};
  }

  Status check_settings(int index, const KerasLayer& from, const KerasSettings& settings, int stride) const {
    if (settings.stride != stride || settings.dilation != 1)
      return unsupported(fmt::format("layer {}: stride {} and dilation {}, {} of {} has {} and 1", from.name,
                                     settings.stride, settings.dilation, pattern_.layer(index).name,
                                     options_.architecture, stride));
    const bool relu =
        std::any_of(pattern_.layers().begin(), pattern_.layers().end(), [&](const graph::Layer& layer) {
          return std::holds_alternative<graph::Relu>(layer.op) && layer.inputs.front() == index;
        });
    const bool binary = std::holds_alternative<graph::BinaryConv2d>(pattern_.layer(index).op);
    if (settings.activation != (binary && relu ? "relu" : "linear"))
      return unsupported(fmt::format("layer {}: activation '{}' is not that of {}", from.name,
                                     settings.activation, options_.architecture));
    return {};
  }

  // How the exit's dense layer is quantized: "" for not at all.
  Expected<std::string> quantizer_of(const LarqExit& exit) {
    std::string quantizer = options_.exit_quantizer;
    if (const KerasSettings* settings = config_.find(exit.dense)) {
      if (!settings->input_quantizer.empty())
        return unsupported(fmt::format("exit {}: quantizes its input ('{}'); only kernels can be", exit.dense,
                                       settings->input_quantizer));
      if (settings->activation != "linear" && settings->activation != "softmax")
        return unsupported(fmt::format("exit {}: activation '{}'", exit.dense, settings->activation));
      quantizer = settings->kernel_quantizer;
    } else if (quantizer.empty() && exit.dense.starts_with("quant_dense")) {
      const bool relu = std::any_of(exit.before.begin(), exit.before.end(), [](const LarqExit::Step& step) {
        return step.kind == LarqExit::Step::Kind::kRelu;
      });
      quantizer = exits_.size() == 1 && relu ? "none" : "ste_sign";
      if (assumed_.empty())
        assumed_.push_back(
            fmt::format("exits quantize their kernels by {}: assumed, a file of weights does not tell; "
                        "--exit-quantizer does",
                        quantizer));
    }
    if (quantizer == "none") quantizer.clear();
    if (!quantizer.empty() && !is_sign(quantizer) && quantizer != kMagnitudeAware)
      return unsupported(fmt::format("exit {}: kernel quantizer '{}' is no sign", exit.dense, quantizer));
    return quantizer;
  }

  // [norm, ReLU, ...] pool [norm] dense: what an Exit cannot hold itself becomes layers before it.
  Status add_exit(int index, graph::Layer layer) {
    using Kind = LarqExit::Step::Kind;
    const LarqExit& exit = exits_[static_cast<std::size_t>(index)];
    auto& op = std::get<graph::Exit>(layer.op);
    BITTERN_ASSIGN_OR_RETURN(const std::string quantizer, quantizer_of(exit));
    op.dense = quantizer.empty() ? graph::ExitDense::kFloat : graph::ExitDense::kBinary;
    op.norm = graph::ExitNorm::kNone;
    Source source;
    source.exit.dense = file_.find(exit.dense);
    source.exit.magnitude_aware = quantizer == kMagnitudeAware;
    source.exit.norm_after = file_.find(exit.norm_after);
    source.exit.epsilon_after = epsilon_of(exit.norm_after, source.exit.epsilon_after);
    std::vector<LarqExit::Step> steps = exit.before;
    const auto take_norm = [&](graph::ExitNorm norm) {
      op.norm = norm;
      op.norm_epsilon = epsilon_of(steps.back().layer, op.norm_epsilon);
      source.exit.norm_before = file_.find(steps.back().layer);
      steps.pop_back();
    };
    if (!steps.empty() && steps.back().kind == Kind::kNorm) take_norm(graph::ExitNorm::kAfterPool);
    if (steps.empty() || steps.back().kind != Kind::kPool)
      return unsupported(fmt::format(
          "exit {}: needs one GlobalAveragePooling2D before it, then at most a batch norm", exit.dense));
    steps.pop_back();
    if (op.norm == graph::ExitNorm::kNone && !steps.empty() && steps.back().kind == Kind::kNorm)
      take_norm(graph::ExitNorm::kBeforePool);
    if (!steps.empty() && steps.back().kind == Kind::kRelu) {
      op.relu = true;
      steps.pop_back();
    }
    int number = 0;
    for (const LarqExit::Step& step : steps) {
      if (step.kind == Kind::kPool) return unsupported(fmt::format("exit {}: pools twice", exit.dense));
      const bool norm = step.kind == Kind::kNorm;
      const KerasLayer* from = norm ? file_.find(step.layer) : nullptr;
      graph::Op extra = graph::Relu{};
      if (norm)
        extra = graph::BatchNorm{.epsilon = epsilon_of(step.layer, head_epsilon_),
                                 .scale = from->find("gamma") != nullptr,
                                 .center = from->find("beta") != nullptr};
      layers_.push_back(
          {fmt::format("{}.{}{}", layer.name, norm ? "bn" : "relu", ++number), extra, layer.inputs, {}});
      sources_.push_back({norm ? std::vector{from} : std::vector<const KerasLayer*>{}, {}});
      layer.inputs = {static_cast<int>(layers_.size()) - 1};
    }
    layers_.push_back(std::move(layer));
    sources_.push_back(std::move(source));
    return {};
  }

  Expected<model::LayerWeights> weights_of(int i, WeightStorage& storage) const {
    const Source& source = sources_[static_cast<std::size_t>(i)];
    const graph::Op& op = network_.layer(i).op;
    if (const auto* conv = std::get_if<graph::Conv2d>(&op))
      return convolution_weights(source.layers, *conv, network_.input_of(i).channels,
                                 source.layers.front()->find("depthwise_kernel") != nullptr, storage);
    if (const auto* binary = std::get_if<graph::BinaryConv2d>(&op))
      return binary_weights(*source.layers.front(), *binary, network_.input_of(i).channels, storage);
    if (const auto* exit = std::get_if<graph::Exit>(&op))
      return exit_weights(source.exit, *exit, graph::dense_inputs(*exit, network_.input_of(i)), storage);
    model::LayerWeights weights;
    if (const auto* norm = std::get_if<graph::BatchNorm>(&op)) {
      BITTERN_ASSIGN_OR_RETURN(const FoldedNorm folded, fold_norm(*source.layers.front(), norm->epsilon,
                                                                  network_.input_of(i).channels));
      BITTERN_ASSIGN_OR_RETURN(weights.scale, storage.keep(folded.scale));
      BITTERN_ASSIGN_OR_RETURN(weights.bias, storage.keep(folded.bias));
    }
    return weights;
  }

  Status fill() {
    auto storage = std::make_shared<WeightStorage>();
    model_ = std::make_shared<model::Model>();
    for (int i = 0; i < static_cast<int>(network_.layers().size()); ++i) {
      BITTERN_ASSIGN_OR_RETURN(const model::LayerWeights weights, weights_of(i, *storage));
      model_->weights.push_back(weights);
    }
    model_->storage = std::move(storage);
    model_->network = network_;
    model_->front_end = model::front_end_for(network_.input_shape());
    for (int i = 0; i < network_.classes(); ++i) model_->labels.push_back(fmt::format("label-{}", i));
    model_->temperatures.assign(static_cast<std::size_t>(network_.exit_count()), 1.0F);
    model_->provenance.architecture = network_.architecture();
    model_->provenance.placement = placement_;
    model_->provenance.recipe = R"({"imported_from":"larq"})";
    model_->provenance.tool_version = BITTERN_VERSION;
    return model::validate(*model_);
  }

  const KerasFile& file_;
  KerasConfig config_;
  const LarqOptions& options_;
  graph::Network pattern_;
  std::string placement_;
  float head_epsilon_ = graph::BatchNorm{}.epsilon;
  std::vector<LarqExit> exits_;
  std::vector<std::vector<const KerasLayer*>> matched_;  // one per layer of the pattern
  std::vector<graph::Layer> layers_;
  std::vector<Source> sources_;  // one per layer of the new network
  graph::Network network_;
  std::shared_ptr<model::Model> model_;
  std::vector<std::string> assumed_;
};

// What is wrong here is wrong with the labels, not with the network's file.
Status set_labels(model::Model& model, const LarqOptions& options) {
  const auto named = [&](const std::string& message) {
    return invalid_argument(fmt::format("{}: {}", options.labels_from, message));
  };
  if (static_cast<int>(options.labels.size()) != model.network.classes())
    return named(fmt::format("{}, but the network's exits have {} classes",
                             counted(options.labels.size(), "label"), model.network.classes()));
  model.labels = options.labels;
  if (const Status fits = model::validate(model); !fits.ok()) return named(fits.error().message);
  return {};
}

}  // namespace

Expected<LarqImport> import_larq(const std::filesystem::path& file, const LarqOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(const KerasFile keras, read_keras_file(file, options.reading));
  const auto named = [&](const Error& error) {
    return Error{error.code, fmt::format("{}: {}", file.string(), error.message)};
  };
  Expected<KerasConfig> config = KerasConfig::parse(keras.config);
  if (!config.ok()) return named(config.error());
  Expected<LarqImport> imported = Import(keras, std::move(*config), options).run();
  if (!imported.ok()) return named(imported.error());
  if (!options.labels.empty()) BITTERN_RETURN_IF_ERROR(set_labels(*imported->model, options));
  return imported;
}

}  // namespace bittern::convert
