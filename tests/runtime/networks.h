// Networks for the runtime's tests: what the architectures never do, but a model file may.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/random.h"
#include "graph/architecture.h"
#include "graph/builder.h"
#include "graph/prune.h"
#include "model/model.h"

namespace bittern::runtime {

inline graph::Network architecture(const std::string& name, int classes = 12) {
  graph::BuildOptions options;
  options.architecture = name;
  options.classes = classes;
  return graph::build(options).value();
}

inline graph::Network built(const std::string& name, const graph::Builder& builder) {
  return graph::Network::create(name, builder.layers()).value();
}

// Random features in the range that log-mel values have.
inline std::vector<float> random_features(const graph::Shape& shape, std::uint64_t seed) {
  Random random({seed, 21});
  std::vector<float> features(static_cast<std::size_t>(shape.elements()));
  for (float& x : features) x = random.uniform(-13.0F, 4.0F);
  return features;
}

// A random network of about `layers` layers on a small input: any layer may read any earlier one whose shape
// it can take, so tensors are read late, twice, by concats out of order, and written over where that is not
// allowed.
inline graph::Network random_network(std::uint64_t seed, int layers) {
  using namespace graph;
  Random random({seed, 22});
  const auto pick = [&](int low, int high) {
    return low + static_cast<int>(random.below(static_cast<std::uint64_t>(high - low) + 1));
  };
  Builder builder(Shape{pick(5, 14), pick(4, 9), pick(1, 3)});
  const auto extent = [&](int high) { return Extent{pick(1, high), pick(1, high)}; };
  const auto name = [&] { return "l" + std::to_string(builder.layers().size()); };
  std::vector<int> tensors{0};
  const auto any = [&] {  // mostly one of the latest
    const int count = static_cast<int>(tensors.size());
    const int from = random.below(3) == 0 ? 0 : std::max(0, count - 3);
    return tensors[static_cast<std::size_t>(pick(from, count - 1))];
  };
  const auto like = [&](int x, bool narrower) {  // one that can be added to or joined with x; -1: none
    std::vector<int> found;
    for (const int y : tensors) {
      const Shape &a = builder.shape(x), &b = builder.shape(y);
      if (a.time == b.time && a.frequency == b.frequency && (!narrower || b.channels <= a.channels)) {
        found.push_back(y);
      }
    }
    return found[random.below(found.size())];
  };
  const auto exit_of = [&](int x) {
    Exit op;
    op.relu = random.below(3) == 0;
    op.norm = static_cast<ExitNorm>(pick(0, 2));
    op.pool = static_cast<ExitPool>(pick(0, 1));
    op.dense = static_cast<ExitDense>(pick(0, 2));
    op.classes = 3;
    return Layer{"exit" + std::to_string(x), op, {x}, {}};
  };
  // Seldom some that fill blocks of lanes and words and start more.
  const auto width = [&] { return random.below(8) == 0 ? pick(10, 140) : pick(1, 9); };
  std::map<int, Layer> exits;  // of the layers with these indices

  for (int i = 0; i < layers; ++i) {
    const int x = any();
    const Shape& s = builder.shape(x);
    const Padding padding =
        random.below(4) == 0 && s.time > 3 && s.frequency > 3 ? Padding::kValid : Padding::kSame;
    const Extent stride = random.below(4) == 0 ? extent(2) : Extent{};
    int made = -1;
    switch (pick(0, 9)) {
      case 0: {
        Conv2d op{.kernel = extent(3), .stride = stride, .padding = padding, .out_channels = width()};
        if (random.below(3) == 0) op.groups = s.channels, op.out_channels = s.channels;
        op.bias = random.below(2) == 0;
        if (s.channels <= 40 && random.below(3) == 0) {
          op.out_channels = 16 * pick(1, 4);
          op.groups = 1;
          op.bias = false;
          op.int8 = Int8Input{.scale = random.uniform(1.0F, 40.0F), .zero = pick(0, 255)};
        }
        made = builder.add(name(), op, {x});
        break;
      }
      case 1:
      case 2:
      case 3: {
        BinaryConv2d op{.kernel = extent(3), .stride = stride, .padding = padding};
        op.out_channels = random.below(2) == 0 ? s.channels : width();
        op.pad_value = static_cast<BinaryPadding>(pick(0, 1));
        if (random.below(2) == 0) op.kernel_quantizer = Quantizer::kMagnitudeAwareSign;
        made = builder.add(name(), op, {x});
        break;
      }
      case 4:
        made = builder.add(name(), BatchNorm{}, {x});
        break;
      case 5:
        made = random.below(2) == 0 ? builder.add(name(), Relu{}, {x}) : builder.add(name(), Prelu{}, {x});
        break;
      case 6:
        made = random.below(2) == 0 ? builder.add(name(), MaxPool{extent(3), stride, padding}, {x})
                                    : builder.add(name(), AvgPool{extent(3), stride, padding}, {x});
        break;
      case 7:
      case 8:
        made = builder.add(name(), Add{}, {x, like(x, true)});
        break;
      default:
        if (s.channels < 40) made = builder.add(name(), Concat{}, {x, like(x, false)});
        break;
    }
    if (made < 0) continue;
    tensors.push_back(made);
    if (exits.size() < 4 && random.below(6) == 0) exits.emplace(made, exit_of(made));
  }
  // What no exit needs would be an error: the latest tensor nothing reads gets an exit, the rest is left out.
  std::vector<bool> read(builder.layers().size(), false);
  for (const Layer& layer : builder.layers()) {
    for (const int input : layer.inputs) read[static_cast<std::size_t>(input)] = true;
  }
  for (auto x = tensors.rbegin(); x != tensors.rend() && exits.size() < 8; ++x) {
    if (!read[static_cast<std::size_t>(*x)]) exits.emplace(*x, exit_of(*x));
  }
  std::vector<Layer> kept;
  std::vector<int> place, roots;
  for (int i = 0; i < static_cast<int>(builder.layers().size()); ++i) {
    place.push_back(static_cast<int>(kept.size()));
    kept.push_back(builder.layers()[static_cast<std::size_t>(i)]);
    for (int& input : kept.back().inputs) input = place[static_cast<std::size_t>(input)];
    if (const auto found = exits.find(i); found != exits.end()) {
      roots.push_back(static_cast<int>(kept.size()));
      found->second.inputs = {place.back()};
      kept.push_back(found->second);
    }
  }
  return Network::create("random", prune(kept, roots)).value();
}

}  // namespace bittern::runtime
