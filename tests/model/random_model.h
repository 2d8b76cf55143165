// A small network for tests; with random weights it is a model of a few kilobytes.
#pragma once

#include "graph/architecture.h"
#include "model/random_weights.h"

namespace bittern::model {

// A network of a few kilobytes with a layer of every kind and exits of every sort.
inline graph::Network tiny_network(int classes = 3) {
  using namespace graph;
  Builder builder(Shape{20, 16, 1});
  const auto exit = [&](const char* name, int from, Exit op) {
    op.classes = classes;
    builder.add(name, op, {from});
  };
  int x =
      builder.add("stem", Conv2d{.kernel = {3, 3}, .stride = {2, 1}, .out_channels = 8}, {builder.input()});
  x = builder.add("stem.norm", BatchNorm{}, {x});
  x = builder.add("stem.relu", Relu{}, {x});
  exit("exit1", x, Exit{.dense = ExitDense::kInt8});
  const int one =
      builder.add("b1.conv", BinaryConv2d{.pad_value = BinaryPadding::kOne, .out_channels = 8}, {x});
  const int normed = builder.add("b1.norm", BatchNorm{.scale = false}, {one});
  x = builder.add("b1", Add{}, {normed, x});
  const int growth = builder.add("d1.conv",
                                 BinaryConv2d{.out_channels = 4,
                                              .input_quantizer = Quantizer::kApproxSign,
                                              .kernel_quantizer = Quantizer::kMagnitudeAwareSign},
                                 {x});
  x = builder.add("d1", Concat{}, {x, growth});
  const int improved = builder.add("i1.conv", BinaryConv2d{.out_channels = 4, .input_clip = 1.3F}, {x});
  x = builder.add("i1", Add{}, {x, improved});
  x = builder.add("i1.prelu", Prelu{}, {x});
  x = builder.add("pool1", MaxPool{}, {x});
  exit("exit2", x, Exit{.relu = true, .norm = ExitNorm::kAfterPool, .pool = ExitPool::kGlobal});
  x = builder.add("blur",
                  Conv2d{.kernel = {3, 3},
                         .stride = {1, 2},
                         .out_channels = 12,
                         .groups = 12,
                         .initializer = Initializer::kBlur,
                         .trainable = false},
                  {x});
  x = builder.add("pool2", AvgPool{}, {x});
  x = builder.add("point", Conv2d{.out_channels = 70, .bias = true}, {x});
  x = builder.add(
      "levels", Conv2d{.kernel = {1, 1}, .out_channels = 16, .int8 = Int8Input{.scale = 20.0F, .zero = 100}},
      {x});
  exit("exit3", x, Exit{.norm = ExitNorm::kNone, .pool = ExitPool::kTime, .dense = ExitDense::kFloat});
  return Network::create("tiny", builder.layers()).value();
}

}  // namespace bittern::model
