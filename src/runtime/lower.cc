#include "runtime/lower.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/bits.h"
#include "runtime/arena.h"
#include "runtime/fuse.h"
#include "runtime/nodes.h"

namespace bittern::runtime {
namespace {

static_assert(graph::kMaxKernel <= kernels::kMaxKernel,
              "kernels keep what they need of a window on the stack");

template <class Layer>
kernels::Window window_of(const Layer& op, const graph::Shape& input) {
  return {.kernel_time = op.kernel.time,
          .kernel_frequency = op.kernel.frequency,
          .stride_time = op.stride.time,
          .stride_frequency = op.stride.frequency,
          .pad_time = graph::window(input.time, op.kernel.time, op.stride.time, op.padding).before,
          .pad_frequency =
              graph::window(input.frequency, op.kernel.frequency, op.stride.frequency, op.padding).before};
}

class Lowering {
 public:
  Lowering(const model::Model& model, const graph::Network& network, const LowerOptions& options)
      : model_(model), network_(network), options_(options), nodes_(network) {}

  Expected<Plan> run() {
    plan_.frames = network_.input_shape().time;
    plan_.classes = network_.classes();
    places_ = place_tensors(nodes_, plan_.buffers);
    plan_.input = places_.front();
    counts_ = graph::count(network_);
    const std::size_t whole = largest_whole_bytes();
    tile_bytes_ = whole == 0 ? options_.tile_bytes : std::min(options_.tile_bytes, whole / kRingShare);
    done_.assign(places_.size(), false);
    for (int i = 1; i < nodes_.size(); ++i) {
      if (!nodes_[i].gone && !done_[static_cast<std::size_t>(i)]) emit(i);
    }
    const int exits = network_.exit_count();
    plan_.logits = scratch("logits", Element::kFloat, 1, exits * plan_.classes, 1);
    plan_.probabilities = scratch("probabilities", Element::kFloat, 1, plan_.classes, 1);
    use(plan_.input, 0);
    plan_.front_end = before_start("front end", options_.front_end_floats);
    plan_.window = before_start("clip in silence", options_.window_samples);
    for (const Place& kept : {plan_.logits, plan_.probabilities}) {
      use(kept, 0);
      use(kept, position_);
    }
    BITTERN_ASSIGN_OR_RETURN(plan_.arena_bytes, assign_offsets(plan_.buffers));
    return std::move(plan_);
  }

 private:
  const std::string& name_of(int layer) const { return network_.layer(layer).name; }
  const Place& place_of(int layer) const { return places_[static_cast<std::size_t>(layer)]; }
  const model::LayerWeights& weights_of(int layer) const {
    return model_.weights[static_cast<std::size_t>(layer)];
  }
  Buffer& buffer_of(const Place& place) { return plan_.buffers[static_cast<std::size_t>(place.buffer)]; }

  Place scratch(std::string name, Element element, int time, int frequency, int width) {
    plan_.buffers.push_back({.name = std::move(name),
                             .element = element,
                             .time = time,
                             .rows = time,
                             .frequency = frequency,
                             .width = width});
    return {static_cast<int>(plan_.buffers.size()) - 1, 0, width};
  }

  Place before_start(std::string name, std::size_t floats) {
    if (floats == 0) return {};
    const Place place = scratch(std::move(name), Element::kFloat, 1, 1, static_cast<int>(floats));
    use(place, 0);
    return place;
  }

  void use(const Place& place, int position) {
    if (!place) return;
    Buffer& buffer = buffer_of(place);
    buffer.first_use = buffer.used() ? std::min(buffer.first_use, position) : position;
    buffer.last_use = std::max(buffer.last_use, position);
  }

  // The largest of the tensors that are whole in any case: those that several layers read.
  std::size_t largest_whole_bytes() {
    std::size_t most = 0;
    for (int i = 1; i < nodes_.size(); ++i) {
      if (nodes_[i].readers.size() > 1) most = std::max(most, buffer_of(place_of(i)).full_bytes());
    }
    return most;
  }

  // Steps of layer i, and of those that it takes along.
  void emit(int i) {
    if (const auto* op = nodes_.as<graph::Conv2d>(i)) return emit_conv(i, *op);
    if (const auto* op = nodes_.as<graph::BinaryConv2d>(i)) return emit_binary_conv(i, *op);
    if (const auto* op = nodes_.as<graph::MaxPool>(i)) {
      const int relu = nodes_[i].relu;
      return emit_pool(i, relu < 0 ? name_of(i) : name_of(relu) + " + " + name_of(i),
                       window_of(*op, input_of(i)), relu < 0 ? Pooling::kLargest : Pooling::kLargestOrZero);
    }
    if (const auto* op = nodes_.as<graph::AvgPool>(i))
      return emit_pool(i, name_of(i), window_of(*op, input_of(i)), Pooling::kAverage);
    if (const auto* op = nodes_.as<graph::Exit>(i)) return emit_exit(i, *op);
    if (nodes_.as<graph::Concat>(i) != nullptr) return emit_copies(i);
    const Place& input = place_of(nodes_[i].inputs.front());
    if (nodes_.as<graph::Add>(i) != nullptr) return emit_add(i);
    if (nodes_.as<graph::Relu>(i) != nullptr) return add_step(name_of(i), ReluStep{}, input, place_of(i), {});
    const model::LayerWeights& weights = weights_of(i);
    if (nodes_.as<graph::Prelu>(i) != nullptr)
      return add_step(name_of(i), PreluStep{weights.scale.data()}, input, place_of(i), {});
    add_step(name_of(i), AffineStep{weights.scale.data(), weights.bias.data()}, input, place_of(i), {});
  }

  const graph::Shape& input_of(int layer) const { return nodes_.shape(nodes_[layer].inputs.front()); }

  std::string names_of(const std::vector<int>& layers) {
    std::string names;
    for (const int layer : layers) {
      names += (names.empty() ? "" : " + ") + name_of(layer);
      done_[static_cast<std::size_t>(layer)] = true;
    }
    return names;
  }

  graph::Macs macs_per_row(int layer) const {
    const graph::Macs macs = graph::macs_of(network_, layer);
    const int rows = nodes_.shape(layer).time;
    return {macs.binary / rows, macs.floating / rows, macs.int8 / rows};
  }

  void emit_conv(int i, const graph::Conv2d& op) {
    const kernels::Window window = window_of(op, input_of(i));
    Fusion fusion = fuse(nodes_, model_, places_, i);
    if (op.int8) {
      const Int8ConvStep step{.shape = {.window = window,
                                        .in_channels = input_of(i).channels,
                                        .out_channels = op.out_channels,
                                        .input_scale = op.int8->scale,
                                        .input_zero = op.int8->zero},
                              .kernel = weights_of(i).int8_kernel.data(),
                              .epilogue = fusion.epilogue};
      return add_step(names_of(fusion.layers), step, place_of(nodes_[i].inputs.front()), fusion.output,
                      window, macs_per_row(i));
    }
    ConvStep step{.shape = {.window = window,
                            .in_channels = input_of(i).channels,
                            .out_channels = op.out_channels,
                            .groups = op.groups},
                  .kernel = weights_of(i).kernel.data(),
                  .epilogue = fusion.epilogue};
    add_step(names_of(fusion.layers), step, place_of(nodes_[i].inputs.front()), fusion.output, window,
             macs_per_row(i));
  }

  void emit_binary_conv(int i, const graph::BinaryConv2d& op) {
    const graph::Shape& input = input_of(i);
    const kernels::Window window = window_of(op, input);
    PackStep pack;
    std::string pack_name = "signs of " + name_of(nodes_[i].inputs.front());
    if (nodes_[i].affine >= 0) {
      const model::LayerWeights& norm = weights_of(nodes_[i].affine);
      pack = {norm.scale.data(), norm.bias.data()};
      pack_name = "signs of " + name_of(nodes_[i].affine);
    }
    const Place signs = scratch(pack_name + " for " + name_of(i), Element::kWord, input.time, input.frequency,
                                words_for(input.channels));
    if (!write_signs_with(place_of(nodes_[i].inputs.front()), pack, signs))
      add_step(pack_name, pack, place_of(nodes_[i].inputs.front()), signs, {});
    Fusion fusion = fuse(nodes_, model_, places_, i);
    BinaryConvStep step{.shape = {.window = window,
                                  .in_channels = input.channels,
                                  .out_channels = op.out_channels,
                                  .pad_with_one = op.pad_value == graph::BinaryPadding::kOne},
                        .kernel = weights_of(i).bits.data(),
                        .tap_bits = tap_bits_of(i, op, input.channels),
                        .epilogue = fusion.epilogue};
    add_step(names_of(fusion.layers), step, signs, fusion.output, window, macs_per_row(i));
  }

  // Has the convolution that makes `input`, if it is the step before, write its signs along.
  bool write_signs_with(const Place& input, const PackStep& pack, const Place& signs) {
    if (pending_.empty() || pending_.back().output != input) return false;
    Step& before = pending_.back();
    Epilogue* const epilogue = epilogue_of(before);
    if (epilogue == nullptr || epilogue->signs) return false;
    epilogue->signs = signs;
    epilogue->sign_scale = pack.scale;
    epilogue->sign_bias = pack.bias;
    before.name += " + " + buffer_of(signs).name;
    return true;
  }

  // What a tap adds where it lies outside: padding is +1 and differs from the weights that are -1.
  std::shared_ptr<const std::int16_t[]> tap_bits_of(int i, const graph::BinaryConv2d& op, int in) const {
    if (op.pad_value != graph::BinaryPadding::kOne) return {};
    const int taps = op.kernel.time * op.kernel.frequency;
    if (options_.like != nullptr) {
      for (const Group& group : options_.like->groups) {
        for (const Step& step : group.steps) {
          const auto* known = std::get_if<BinaryConvStep>(&step.operation);
          // The same bits may belong to layers of other shapes too.
          if (known != nullptr && known->kernel == weights_of(i).bits.data() && known->shape.pad_with_one &&
              known->shape.window.taps() == taps && known->shape.in_channels == in &&
              known->shape.out_channels == op.out_channels) {
            return known->tap_bits;
          }
        }
      }
    }
    const std::shared_ptr<std::int16_t[]> counts(new std::int16_t[tap_bits_size(op.out_channels, taps)]());
    count_tap_bits(weights_of(i).bits.data(), op.out_channels, taps, in, counts.get());
    return counts;
  }

  void emit_pool(int i, std::string name, const kernels::Window& window, Pooling pooling) {
    add_step(std::move(name), PoolStep{window, pooling}, place_of(nodes_[i].inputs.front()), place_of(i),
             window);
  }

  void emit_add(int i) {
    Place first = place_of(nodes_[i].inputs[0]);
    const Place& second = place_of(nodes_[i].inputs[1]);
    Place output = place_of(i);
    if (first == output && second.channels < first.channels) {  // the other channels are there already
      first.channel += first.channels - second.channels;
      first.channels = second.channels;
      output = first;
    }
    add_step(name_of(i), AddStep{second}, first, output, {});
  }

  // What could not be placed side by side from the start.
  void emit_copies(int i) {
    int channel = place_of(i).channel;
    for (const int input : nodes_[i].inputs) {
      const Place slot{place_of(i).buffer, channel, nodes_.shape(input).channels};
      if (place_of(input) != slot) {
        add_step(name_of(input) + " into " + name_of(i), CopyStep{}, place_of(input), slot, {});
      }
      channel += slot.channels;
    }
  }

  void add_step(std::string name, const Operation& operation, const Place& input, const Place& output,
                const kernels::Window& window, graph::Macs macs = {}) {
    pending_.push_back({.name = std::move(name),
                        .operation = operation,
                        .input = input,
                        .output = output,
                        .input_rows = buffer_of(input).time,
                        .rows = buffer_of(output).time,
                        .kernel = window.kernel_time,
                        .stride = window.stride_time,
                        .pad = window.pad_time,
                        .macs_per_row = macs});
  }

  void emit_exit(int i, const graph::Exit& op) {
    const int read = nodes_[i].inputs.front();
    const graph::Shape& shape = nodes_.shape(read);
    const model::LayerWeights& weights = weights_of(i);
    ExitStep exit{.name = name_of(i),
                  .layer = name_of(read),
                  .tensor = place_of(read),
                  .rows = shape.time,
                  .frequency = shape.frequency,
                  .relu = op.relu,
                  .norm_before = op.norm == graph::ExitNorm::kBeforePool,
                  .norm_after = op.norm == graph::ExitNorm::kAfterPool,
                  .global = op.pool == graph::ExitPool::kGlobal,
                  .dense = op.dense,
                  .inputs = graph::dense_inputs(op, shape),
                  .classes = op.classes,
                  .norm_scale = weights.norm_scale.data(),
                  .norm_bias = weights.norm_bias.data(),
                  .bits = weights.bits.data(),
                  .int8_kernel = weights.int8_kernel.data(),
                  .kernel = weights.kernel.data(),
                  .scale = weights.scale.data(),
                  .bias = weights.bias.data()};
    exit.means = scratch("means of " + exit.name, Element::kFloat, 1, 1, exit.inputs);
    const int first_group = plan_.stages.empty() ? 0 : plan_.stages.back().end_group;
    close_groups();
    exit.position = ++position_;
    exit.index = plan_.step_count++;
    for (const Place& place : {exit.tensor, exit.means}) use(place, exit.position);
    plan_.stages.push_back({.first_group = first_group,
                            .end_group = static_cast<int>(plan_.groups.size()),
                            .exit = std::move(exit),
                            .counts = counts_.exits[plan_.stages.size()]});
  }

  // A step joins the one before it where that one's output is read by it alone and has its buffer for itself,
  // and where it writes over nothing that an earlier step of the group goes back to.
  bool joins(const Group& group, const Step& step) {
    if (group.steps.size() >= kMaxGroupSteps) return false;
    for (const Step& earlier : group.steps) {
      if (earlier.kernel > 1 && earlier.input.overlaps(step.output)) return false;
    }
    const Step& before = group.steps.back();
    const bool reads = before.output == step.input || [&] {
      const auto* add = std::get_if<AddStep>(&step.operation);
      return add != nullptr && before.output == add->second;
    }();
    if (!reads) return false;
    if (buffer_of(before.output).element == Element::kWord) return true;
    // Tensors that share the buffer have readers too, so one in all means one tensor.
    // Where the step before is a norm in place, all others that lie there have been read.
    const bool in_place = before.input == before.output;
    std::size_t readers = 0;
    for (int i = 0; i < nodes_.size(); ++i) {
      if (place_of(i).buffer != before.output.buffer || (in_place && !nodes_.norm_of_concat(i))) continue;
      readers += nodes_[i].readers.size();
    }
    return readers == 1;
  }

  void close_groups() {
    for (std::size_t i = 0; i < pending_.size();) {
      Group group;
      group.position = ++position_;
      group.steps.push_back(std::move(pending_[i++]));
      while (options_.stream && i < pending_.size() && joins(group, pending_[i])) {
        group.steps.push_back(std::move(pending_[i++]));
      }
      for (Step& step : group.steps) {
        step.index = plan_.step_count++;
        use_all(step, group.position);
      }
      choose_tile(group, plan_.buffers, tile_bytes_);
      plan_.longest_group = std::max(plan_.longest_group, static_cast<int>(group.steps.size()));
      plan_.groups.push_back(std::move(group));
    }
    pending_.clear();
  }

  void use_all(Step& step, int position) {
    use(step.input, position);
    use(step.output, position);
    if (const auto* add = std::get_if<AddStep>(&step.operation)) use(add->second, position);
    if (const Epilogue* epilogue = epilogue_of(step)) {
      use(epilogue->residual, position);
      use(epilogue->signs, position);
    }
  }

  const model::Model& model_;
  const graph::Network& network_;
  const LowerOptions& options_;
  std::size_t tile_bytes_ = 0;
  Nodes nodes_;
  graph::Counts counts_;
  std::vector<Place> places_;
  std::vector<bool> done_;  // layers whose steps exist
  std::vector<Step> pending_;
  int position_ = 0;  // 0 is the front end's
  Plan plan_;
};

}  // namespace

LowerOptions with_front_end(const features::LogMelSpec& spec, int frames, std::size_t work_floats) {
  LowerOptions options;
  options.front_end_floats = work_floats;
  if (frames == spec.clip_frames()) options.window_samples = static_cast<std::size_t>(spec.clip_samples);
  return options;
}

Expected<Plan> lower(const model::Model& model, int frames, const LowerOptions& options) {
  if (frames == model.network.input_shape().time) return Lowering(model, model.network, options).run();
  BITTERN_ASSIGN_OR_RETURN(const graph::Network network, model.network.with_time(frames));
  return Lowering(model, network, options).run();
}

}  // namespace bittern::runtime
