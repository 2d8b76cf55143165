// The epilogue's obvious twin and random epilogues.
#pragma once

#include <optional>
#include <vector>

#include "support.h"

namespace bittern::kernels::testing {

struct RandomEpilogue {
  std::vector<float> scale, bias, norm_scale, norm_bias, slope, sign_scale, sign_bias;  // empty: left out
  std::optional<Tensor<float>> residual;
  bool relu;
  bool final_relu;
  bool signs;

  RandomEpilogue(Random& random, int time, int frequency, int channels)
      : relu(flip(random)), final_relu(flip(random)), signs(flip(random)) {
    if (flip(random)) scale = random_floats(random, channels);
    if (flip(random)) bias = random_floats(random, channels);
    if (flip(random)) {
      norm_scale = random_floats(random, channels);
      norm_bias = random_floats(random, channels);
    }
    if (flip(random)) slope = random_floats(random, channels);
    if (flip(random)) {
      sign_scale = random_floats(random, channels);
      sign_bias = random_floats(random, channels);
    }
    if (flip(random)) residual = random_tensor(random, time, frequency, channels);
  }

  // Without views, which the caller adds.
  Epilogue steps() const {
    Epilogue e;
    if (!scale.empty()) e.scale = scale.data();
    if (!bias.empty()) e.bias = bias.data();
    e.relu = relu;
    if (!norm_scale.empty()) {
      e.norm_scale = norm_scale.data();
      e.norm_bias = norm_bias.data();
    }
    e.final_relu = final_relu;
    if (!slope.empty()) e.slope = slope.data();
    if (!sign_scale.empty()) {
      e.sign_scale = sign_scale.data();
      e.sign_bias = sign_bias.data();
    }
    return e;
  }

  float twin(float y, int t, int f, int c) const {
    const auto i = static_cast<std::size_t>(c);
    if (!scale.empty()) y = y * scale[i];
    if (!bias.empty()) y = y + bias[i];
    if (relu) y = y > 0 ? y : 0;
    if (!norm_scale.empty()) {
      const float product = y * norm_scale[i];
      y = product + norm_bias[i];
    }
    if (residual) y = residual->at(t, f, c) + y;
    if (final_relu) y = y > 0 ? y : 0;
    if (!slope.empty()) y = y > 0 ? y : y * slope[i];
    return y;
  }

  // What the signs are of.
  Tensor<float> signed_of(const Tensor<float>& y) const {
    Tensor<float> result = y;
    if (sign_scale.empty()) return result;
    for (int t = 0; t < y.time; ++t) {
      for (int f = 0; f < y.frequency; ++f) {
        for (int c = 0; c < y.channels; ++c) {
          const auto i = static_cast<std::size_t>(c);
          const float product = y.at(t, f, c) * sign_scale[i];
          result.at(t, f, c) = product + sign_bias[i];
        }
      }
    }
    return result;
  }
};

// Runs convolve(epilogue, output view, first row, last row) over random pieces of rows into guarded memory,
// the residual in a place of its own or in the output itself, and compares with `expected`.
template <class Convolve>
void expect_convolution(Random random, const RandomEpilogue& random_epilogue, const Tensor<float>& expected,
                        const Convolve& convolve) {
  Epilogue epilogue = random_epilogue.steps();
  Placed<float> output(random, expected.time, expected.frequency, expected.channels);
  Placed<std::uint64_t> signs(random, expected.time, expected.frequency, words_for(expected.channels));
  if (random_epilogue.signs) epilogue.signs = signs.view();
  std::optional<Placed<float>> residual;
  if (random_epilogue.residual) {
    if (flip(random)) {
      output.write(*random_epilogue.residual);
      epilogue.residual = output.view();
    } else {
      residual.emplace(random, *random_epilogue.residual);
      epilogue.residual = residual->view();
    }
  }
  in_pieces(random, expected.time,
            [&](int first, int last) { convolve(epilogue, output.view(), first, last); });
  output.expect(expected, 0, expected.time);
  if (random_epilogue.signs) signs.expect(packed(random_epilogue.signed_of(expected)), 0, expected.time);
  if (residual) residual->expect(*random_epilogue.residual, 0, expected.time);
}

}  // namespace bittern::kernels::testing
