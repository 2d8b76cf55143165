// Whether two models say the same, tensor by tensor and bit by bit.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

#include "model/model.h"

namespace bittern::model {

inline void expect_same_floats(std::span<const float> a, std::span<const float> b) {
  const auto same_bits = [](float x, float y) {
    return std::bit_cast<std::uint32_t>(x) == std::bit_cast<std::uint32_t>(y);
  };
  EXPECT_TRUE(std::equal(a.begin(), a.end(), b.begin(), b.end(), same_bits));
}

inline void expect_same(const Model& a, const Model& b) {
  EXPECT_EQ(a.network.architecture(), b.network.architecture());
  ASSERT_EQ(a.network.layers(), b.network.layers());
  EXPECT_EQ(a.network.exits(), b.network.exits());
  ASSERT_EQ(a.weights.size(), b.weights.size());
  for (std::size_t i = 0; i < a.weights.size(); ++i) {
    SCOPED_TRACE(a.network.layers()[i].name);
    const LayerWeights &x = a.weights[i], &y = b.weights[i];
    expect_same_floats(x.kernel, y.kernel);
    EXPECT_TRUE(std::equal(x.bits.begin(), x.bits.end(), y.bits.begin(), y.bits.end()));
    EXPECT_TRUE(
        std::equal(x.int8_kernel.begin(), x.int8_kernel.end(), y.int8_kernel.begin(), y.int8_kernel.end()));
    expect_same_floats(x.scale, y.scale);
    expect_same_floats(x.bias, y.bias);
    expect_same_floats(x.norm_scale, y.norm_scale);
    expect_same_floats(x.norm_bias, y.norm_bias);
  }
  EXPECT_EQ(a.front_end, b.front_end);
  EXPECT_EQ(a.labels, b.labels);
  EXPECT_EQ(a.temperatures, b.temperatures);
  EXPECT_EQ(a.operating_points, b.operating_points);
  EXPECT_EQ(a.provenance, b.provenance);
  EXPECT_EQ(a.self_test, b.self_test);
}

}  // namespace bittern::model
