// A small network with a branch of every kind, for tests.
#pragma once

#include <vector>

#include "graph/builder.h"
#include "graph/network.h"

namespace bittern::graph {

// Indices into small_layers().
inline constexpr int kInputLayer = 0;
inline constexpr int kConvLayer = 1;    // 20x16x8
inline constexpr int kNormLayer = 2;    // 20x16x8
inline constexpr int kFirstExit = 3;    // reads kNormLayer
inline constexpr int kBinaryLayer = 4;  // 20x16x8
inline constexpr int kConcatLayer = 5;  // 20x16x16
inline constexpr int kSideLayer = 6;    // 10x8x16, read by kSideExit alone
inline constexpr int kSideExit = 7;
inline constexpr int kPoolLayer = 8;     // 10x8x16
inline constexpr int kGroupedLayer = 9;  // 10x8x4
inline constexpr int kAddLayer = 10;     // 10x8x16
inline constexpr int kReluLayer = 11;    // 10x8x16
inline constexpr int kLastExit = 12;

inline std::vector<Layer> small_layers() {
  Builder b({40, 32, 1});
  const int conv = b.add("conv", Conv2d{.kernel = {3, 3}, .stride = {2, 2}, .out_channels = 8}, {b.input()});
  const int norm = b.add("norm", BatchNorm{}, {conv});
  b.add("exit1", Exit{.classes = 5}, {norm});
  const int binary = b.add("binary", BinaryConv2d{.out_channels = 8}, {norm});
  const int concat = b.add("concat", Concat{}, {norm, binary});
  const int side = b.add("side", AvgPool{}, {concat});
  b.add("exit2", Exit{.classes = 5}, {side});
  const int pool = b.add("pool", MaxPool{}, {concat});
  const int grouped = b.add("grouped", Conv2d{.out_channels = 4, .groups = 2}, {pool});
  const int add = b.add("add", Add{}, {pool, grouped});
  const int relu = b.add("relu", Relu{}, {add});
  b.add("exit3", Exit{.classes = 5}, {relu});
  return b.layers();
}

}  // namespace bittern::graph
