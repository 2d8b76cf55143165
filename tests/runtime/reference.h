// The slow, obvious interpreter: layer by layer, whole tensors, plain loops, every sum in the order that
// kernels/*.h defines. Shares no code with the runtime or the kernels.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/bits.h"
#include "core/int8_kernel.h"
#include "model/model.h"

namespace bittern::runtime {

struct ReferenceTensor {
  graph::Shape shape;
  std::vector<float> data;

  explicit ReferenceTensor(const graph::Shape& s)
      : shape(s), data(static_cast<std::size_t>(s.elements()), 0.0F) {}
  float& at(int t, int f, int c) { return data[index(t, f, c)]; }
  float at(int t, int f, int c) const { return data[index(t, f, c)]; }
  bool inside(int t, int f) const { return t >= 0 && t < shape.time && f >= 0 && f < shape.frequency; }

 private:
  std::size_t index(int t, int f, int c) const {
    return (static_cast<std::size_t>(t) * static_cast<std::size_t>(shape.frequency) +
            static_cast<std::size_t>(f)) *
               static_cast<std::size_t>(shape.channels) +
           static_cast<std::size_t>(c);
  }
};

class Reference {
 public:
  Reference(const model::Model& model, const graph::Network& network) : model_(model), network_(network) {}

  // features: [network.input_shape()]. Afterwards tensors() holds every layer's output, an exit's being its
  // logits.
  void run(std::span<const float> features) {
    tensors_.clear();
    for (int i = 0; i < static_cast<int>(network_.layers().size()); ++i) {
      tensors_.emplace_back(network_.shape_of(i));
      if (i == 0) {
        std::copy(features.begin(), features.end(), tensors_[0].data.begin());
      } else {
        layer_ = i;
        std::visit([this](const auto& op) { compute(op); }, network_.layer(i).op);
      }
    }
  }

  const std::vector<ReferenceTensor>& tensors() const { return tensors_; }

  std::vector<float> logits() const {
    std::vector<float> all;
    for (const int exit : network_.exits()) {
      const auto& logits = tensors_[static_cast<std::size_t>(exit)].data;
      all.insert(all.end(), logits.begin(), logits.end());
    }
    return all;
  }

 private:
  const ReferenceTensor& in(std::size_t i = 0) const {
    return tensors_[static_cast<std::size_t>(network_.layer(layer_).inputs[i])];
  }
  ReferenceTensor& out() { return tensors_.back(); }
  const model::LayerWeights& weights() const { return model_.weights[static_cast<std::size_t>(layer_)]; }

  // Calls visit(t, f, c, element) for every element of the output.
  template <class Visit>
  void each(const Visit& visit) {
    for (int t = 0; t < out().shape.time; ++t) {
      for (int f = 0; f < out().shape.frequency; ++f) {
        for (int c = 0; c < out().shape.channels; ++c) visit(t, f, c, out().at(t, f, c));
      }
    }
  }

  // Calls visit(tap, t, f) for every tap of the window of output (t0, f0), those outside the input too, rows
  // first.
  template <class Op, class Visit>
  void each_tap(const Op& op, int t0, int f0, const Visit& visit) const {
    const graph::Shape& s = in().shape;
    const int top = graph::window(s.time, op.kernel.time, op.stride.time, op.padding).before;
    const int left = graph::window(s.frequency, op.kernel.frequency, op.stride.frequency, op.padding).before;
    for (int i = 0; i < op.kernel.time; ++i) {
      for (int j = 0; j < op.kernel.frequency; ++j) {
        visit(i * op.kernel.frequency + j, t0 * op.stride.time - top + i,
              f0 * op.stride.frequency - left + j);
      }
    }
  }

  void compute(const graph::Input&) {}

  void compute_int8(const graph::Conv2d& op) {
    const int channels = in().shape.channels;
    const int values = op.kernel.frequency * channels;
    const auto zero = static_cast<float>(op.int8->zero);
    each([&](int t, int f, int o, float& y) {
      int sum = 0;
      each_tap(op, t, f, [&](int tap, int ti, int fi) {
        if (!in().inside(ti, fi)) return;
        for (int c = 0; c < channels; ++c) {
          const float scaled = std::nearbyint(in().at(ti, fi, c) * op.int8->scale);
          const float level = scaled < -zero ? -zero : scaled > 255 - zero ? 255 - zero : scaled;
          const int row = tap / op.kernel.frequency, value = tap % op.kernel.frequency * channels + c;
          sum += static_cast<int>(level) *
                 weights().int8_kernel[int8_kernel_index(o, row, value, op.kernel.time, values)];
        }
      });
      y = static_cast<float>(sum) * weights().scale[static_cast<std::size_t>(o)];
    });
  }

  void compute(const graph::Conv2d& op) {
    if (op.int8) return compute_int8(op);
    const int group_in = in().shape.channels / op.groups;
    const int group_out = op.out_channels / op.groups;
    each([&](int t, int f, int o, float& y) {
      float sum = 0;
      each_tap(op, t, f, [&](int tap, int ti, int fi) {
        if (!in().inside(ti, fi)) return;
        for (int c = 0; c < group_in; ++c) {
          const std::ptrdiff_t k = (std::ptrdiff_t{tap} * group_in + c) * op.out_channels + o;
          sum += in().at(ti, fi, o / group_out * group_in + c) * weights().kernel[k];
        }
      });
      y = weights().bias.empty() ? sum : sum + weights().bias[static_cast<std::size_t>(o)];
    });
  }

  void compute(const graph::BinaryConv2d& op) {
    const int channels = in().shape.channels;
    const int taps = op.kernel.time * op.kernel.frequency;
    each([&](int t, int f, int o, float& y) {
      int sum = 0;
      each_tap(op, t, f, [&](int tap, int ti, int fi) {
        const bool inside = in().inside(ti, fi);
        if (!inside && op.pad_value == graph::BinaryPadding::kZero) return;
        for (int c = 0; c < channels; ++c) {
          const std::size_t word = packed_kernel_index(o, tap, c / kWordBits, taps, words_for(channels));
          const int w = (weights().bits[word] >> (c % kWordBits)) % 2 != 0 ? -1 : 1;
          sum += inside && in().at(ti, fi, c) < 0 ? -w : w;
        }
      });
      y = static_cast<float>(sum);
      if (op.has_scale()) y *= weights().scale[static_cast<std::size_t>(o)];
    });
  }

  void compute(const graph::BatchNorm&) {
    each([&](int t, int f, int c, float& y) {
      y = in().at(t, f, c) * weights().scale[static_cast<std::size_t>(c)] +
          weights().bias[static_cast<std::size_t>(c)];
    });
  }

  void compute(const graph::Relu&) {
    each([&](int t, int f, int c, float& y) { y = in().at(t, f, c) > 0 ? in().at(t, f, c) : 0; });
  }

  void compute(const graph::Prelu&) {
    each([&](int t, int f, int c, float& y) {
      const float x = in().at(t, f, c);
      y = x > 0 ? x : x * weights().scale[static_cast<std::size_t>(c)];
    });
  }

  void compute(const graph::MaxPool& op) {
    each([&](int t, int f, int c, float& y) {
      bool any = false;
      each_tap(op, t, f, [&](int, int ti, int fi) {
        if (!in().inside(ti, fi)) return;
        const float x = in().at(ti, fi, c);
        y = any && y >= x ? y : x;
        any = true;
      });
    });
  }

  void compute(const graph::AvgPool& op) {
    each([&](int t, int f, int c, float& y) {
      int pixels = 0;
      each_tap(op, t, f, [&](int, int ti, int fi) {
        if (!in().inside(ti, fi)) return;
        y = pixels == 0 ? in().at(ti, fi, c) : y + in().at(ti, fi, c);  // not 0 + x: that loses -0
        ++pixels;
      });
      y /= static_cast<float>(pixels);
    });
  }

  void compute(const graph::Add&) {
    const int before = in(0).shape.channels - in(1).shape.channels;
    each([&](int t, int f, int c, float& y) {
      y = in(0).at(t, f, c);
      if (c >= before) y += in(1).at(t, f, c - before);
    });
  }

  void compute(const graph::Concat&) {
    each([&](int t, int f, int c, float& y) {
      std::size_t i = 0;
      while (c >= in(i).shape.channels) c -= in(i++).shape.channels;
      y = in(i).at(t, f, c);
    });
  }

  void compute(const graph::Exit& op) {
    const model::LayerWeights& w = weights();
    const graph::Shape& s = in().shape;
    const auto inputs = static_cast<std::size_t>(graph::dense_inputs(op, s));
    std::vector<float> pooled(inputs, 0.0F);
    for (int t = 0; t < s.time; ++t) {
      for (int f = 0; f < s.frequency; ++f) {
        for (int c = 0; c < s.channels; ++c) {
          const auto channel = static_cast<std::size_t>(c);
          float x = in().at(t, f, c);
          if (op.relu) x = x > 0 ? x : 0;
          if (op.norm == graph::ExitNorm::kBeforePool) x = x * w.norm_scale[channel] + w.norm_bias[channel];
          const int to = op.pool == graph::ExitPool::kTime ? f * s.channels + c : c;
          pooled[static_cast<std::size_t>(to)] += x;
        }
      }
    }
    const auto pixels = static_cast<float>(op.pool == graph::ExitPool::kTime ? s.time : s.time * s.frequency);
    for (std::size_t i = 0; i < inputs; ++i) {
      pooled[i] /= pixels;
      if (op.norm == graph::ExitNorm::kAfterPool) pooled[i] = pooled[i] * w.norm_scale[i] + w.norm_bias[i];
    }
    for (std::size_t j = 0; j < static_cast<std::size_t>(op.classes); ++j) {
      float& y = out().data[j];
      y = op.dense == graph::ExitDense::kBinary ? binary_sum(pooled, j) * w.scale[j] + w.bias[j]
          : op.dense == graph::ExitDense::kInt8 ? int8_sum(pooled, j) * w.scale[j] + w.bias[j]
                                                : float_sum(pooled, j, op.classes) + w.bias[j];
    }
  }

  // Of term(0) to term(count - 1), in eight parts.
  template <class Term>
  static float partial_sums(std::size_t count, const Term& term) {
    float p[8] = {};
    for (std::size_t i = 0; i < count; ++i) p[i % 8] += term(i);
    return ((p[0] + p[4]) + (p[2] + p[6])) + ((p[1] + p[5]) + (p[3] + p[7]));
  }

  float int8_sum(const std::vector<float>& x, std::size_t row) const {
    return partial_sums(x.size(), [&](std::size_t i) {
      return x[i] * static_cast<float>(weights().int8_kernel[row * x.size() + i]);
    });
  }

  float binary_sum(const std::vector<float>& x, std::size_t row) const {
    const auto words = static_cast<std::size_t>(words_for(static_cast<int>(x.size())));
    return partial_sums(x.size(), [&](std::size_t i) {
      const bool negative = (weights().bits[row * words + i / kWordBits] >> (i % kWordBits)) % 2 != 0;
      return negative ? -x[i] : x[i];
    });
  }

  float float_sum(const std::vector<float>& x, std::size_t column, int classes) const {
    float sum = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      sum += x[i] * weights().kernel[i * static_cast<std::size_t>(classes) + column];
    }
    return sum;
  }

  const model::Model& model_;
  const graph::Network& network_;
  std::vector<ReferenceTensor> tensors_;
  int layer_ = 0;
};

}  // namespace bittern::runtime
