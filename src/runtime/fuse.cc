#include "runtime/fuse.h"

namespace bittern::runtime {
namespace {

// The slots of kernels::Epilogue in their order; each may be used once, and none before one already used.
enum class Slot : std::uint8_t { kNone, kScaleBias, kRelu, kNorm, kResidual, kLast };

class Fuser {
 public:
  Fuser(const Nodes& nodes, const model::Model& model, const std::vector<Place>& places, int layer)
      : nodes_(nodes), model_(model), places_(places) {
    fusion_.layers.push_back(layer);
    const model::LayerWeights& weights = weights_of(layer);
    if (!weights.scale.empty()) fusion_.epilogue.scale = weights.scale.data();
    if (!weights.bias.empty()) fusion_.epilogue.bias = weights.bias.data();
    if (!weights.scale.empty() || !weights.bias.empty()) used_ = Slot::kScaleBias;
    fusion_.output = places[static_cast<std::size_t>(layer)];
  }

  Fusion run() {
    while (nodes_[last()].readers.size() == 1 && take(nodes_[last()].readers.front())) {
    }
    return std::move(fusion_);
  }

 private:
  int last() const { return fusion_.layers.back(); }
  const model::LayerWeights& weights_of(int layer) const {
    return model_.weights[static_cast<std::size_t>(layer)];
  }

  bool take(int next) {
    const bool taken = nodes_.as<graph::Relu>(next) != nullptr        ? take_relu(next)
                       : nodes_.as<graph::Prelu>(next) != nullptr     ? take_prelu(next)
                       : nodes_.as<graph::BatchNorm>(next) != nullptr ? take_norm(next)
                       : nodes_.as<graph::Add>(next) != nullptr       ? take_add(next)
                                                                      : false;
    if (!taken) return false;
    fusion_.layers.push_back(next);
    return true;
  }

  bool take_relu(int next) {
    if (used_ >= Slot::kLast) return false;
    const bool first = used_ < Slot::kRelu;
    (first ? fusion_.epilogue.relu : fusion_.epilogue.final_relu) = true;
    used_ = first ? Slot::kRelu : Slot::kLast;
    fusion_.output = places_[static_cast<std::size_t>(next)];
    return true;
  }

  bool take_prelu(int next) {
    if (used_ >= Slot::kLast) return false;
    fusion_.epilogue.slope = weights_of(next).scale.data();
    used_ = Slot::kLast;
    fusion_.output = places_[static_cast<std::size_t>(next)];
    return true;
  }

  bool take_norm(int next) {
    Epilogue& epilogue = fusion_.epilogue;
    const model::LayerWeights& weights = weights_of(next);
    if (used_ < Slot::kScaleBias) {
      epilogue.scale = weights.scale.data();
      epilogue.bias = weights.bias.data();
      used_ = Slot::kScaleBias;
    } else if (used_ < Slot::kNorm) {
      epilogue.norm_scale = weights.scale.data();
      epilogue.norm_bias = weights.bias.data();
      used_ = Slot::kNorm;
    } else {
      return false;
    }
    fusion_.output = places_[static_cast<std::size_t>(next)];
    return true;
  }

  bool take_add(int next) {
    if (used_ >= Slot::kResidual) return false;
    const std::vector<int>& inputs = nodes_[next].inputs;
    const int other = inputs[0] == last() ? inputs[1] : inputs[0];
    const int convolution = fusion_.layers.front();
    // Everything is computed where the convolution stands: the other operand must be there by then ...
    if (other == last() || other >= convolution) return false;
    const Place& whole = places_[static_cast<std::size_t>(next)];
    const Place& operand = places_[static_cast<std::size_t>(other)];
    const bool in_place = operand == whole;
    // ... and, where it is written over, nobody may want its old value in between.
    if (in_place && !nodes_.unread(other, convolution, next, fusion_.layers)) return false;
    const int channels = nodes_.shape(last()).channels;
    if (nodes_.shape(other).channels < channels) return false;
    if (nodes_.shape(other).channels > channels && !in_place) return false;
    const Place output = last_channels(whole, channels);
    // A float convolution goes back to rows of its input: they may not be written over meanwhile.
    const int input = nodes_[convolution].inputs.front();
    if (nodes_.as<graph::Conv2d>(convolution) != nullptr &&
        places_[static_cast<std::size_t>(input)].overlaps(output)) {
      return false;
    }
    fusion_.epilogue.residual = last_channels(operand, channels);
    fusion_.output = output;
    // Of a wider sum only the last channels pass here: nothing more may happen to them.
    used_ = nodes_.shape(other).channels > channels ? Slot::kLast : Slot::kResidual;
    return true;
  }

  static Place last_channels(const Place& place, int channels) {
    return {place.buffer, place.channel + place.channels - channels, channels};
  }

  const Nodes& nodes_;
  const model::Model& model_;
  const std::vector<Place>& places_;
  Fusion fusion_;
  Slot used_ = Slot::kNone;
};

}  // namespace

Fusion fuse(const Nodes& nodes, const model::Model& model, const std::vector<Place>& places, int layer) {
  return Fuser(nodes, model, places, layer).run();
}

}  // namespace bittern::runtime
