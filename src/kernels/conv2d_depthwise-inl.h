// Depthwise convolution: lanes over channels, four pixels at a time.
//
// Kernels of 3 x 3, which is what networks have, take a row of outputs by vectors of channels: nine weights
// stay in registers along the row. Taps outside the input read zeros there: x * w = +-0 is added to sums that
// are never -0, which changes none. (Weights are finite.)
#if defined(BITTERN_KERNELS_CONV2D_DEPTHWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_CONV2D_DEPTHWISE_INL_H
#undef BITTERN_KERNELS_CONV2D_DEPTHWISE_INL_H
#else
#define BITTERN_KERNELS_CONV2D_DEPTHWISE_INL_H
#endif

#include <cstddef>

#include "kernels/conv2d_lines-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

bool is_depthwise(const Conv2dShape& shape) {
  return shape.groups == shape.in_channels && shape.groups == shape.out_channels;
}

class Depthwise {
 public:
  explicit Depthwise(const Problem& p)
      : p_(p),
        parameters_(p.epilogue),
        window_(p.shape.window),
        channels_(p.shape.out_channels),
        stride_(p.input.pixel_stride),
        whole_(whole_columns(window_, p.input.frequency, p.output.frequency)) {}

  HWY_NOINLINE void run() const {
    const FullTag d;
    for (int t = p_.first_row; t < p_.last_row; ++t) {
      const RowTaps<float> row(window_, p_.input, t);
      const Line line{p_.output.row(t), p_.epilogue.residual ? p_.epilogue.residual.row(t) : nullptr};
      int c = 0;
      if (window_.kernel_time == 3 && window_.kernel_frequency == 3) {
        for (; c + lanes(d) <= channels_; c += lanes(d)) three_by_three(row, line, c);
      }
      for_channels(d, c, p_.shape.out_channels, [&](auto part, int from) HWY_ATTR {
        for (int f = 0; f < p_.output.frequency; ++f) any(part, row, line, f, from);
      });
    }
  }

 private:
  static constexpr int kPixels = 4;

  // Where a row of outputs goes.
  struct Line {
    float* output;
    const float* residual;
  };

  template <int kCount, class D, class V>
  HWY_INLINE void store(D d, const Line& line, int f, int c, V (&sums)[kCount][1]) const {
    float* output[kCount];
    const float* residual[kCount] = {};
    for (int k = 0; k < kCount; ++k) output[k] = line.output + (f + k) * p_.output.pixel_stride;
    if (line.residual != nullptr) {
      for (int k = 0; k < kCount; ++k)
        residual[k] = line.residual + (f + k) * p_.epilogue.residual.pixel_stride;
    }
    finish(parameters_, d, c, residual, sums, output);
  }

  // Channels from `c` on of pixel f.
  template <class D>
  HWY_INLINE void any(D d, const RowTaps<float>& row, const Line& line, int f, int c) const {
    const Taps columns = p_.columns(f);
    hn::Vec<D> sums[1][1] = {{hn::Zero(d)}};
    for (int i = row.taps.begin; i < row.taps.end; ++i) {
      const float* x = row.rows[i] + (columns.origin + columns.begin) * stride_ + c;
      const float* weights =
          p_.kernel + (std::ptrdiff_t{i} * window_.kernel_frequency + columns.begin) * channels_ + c;
      for (int j = columns.begin; j < columns.end; ++j, x += stride_, weights += channels_)
        sums[0][0] = hn::Add(sums[0][0], hn::Mul(hn::LoadU(d, x), hn::LoadU(d, weights)));
    }
    store(d, line, f, c, sums);
  }

  using V = hn::Vec<FullTag>;

  // One vector of channels of a row.
  HWY_INLINE void three_by_three(const RowTaps<float>& row, const Line& line, int c) const {
    const FullTag d;
    HWY_ALIGN static constexpr float kZeros[lanes(FullTag())] = {};
    V w[9];
    for (int i = 0; i < 9; ++i) w[i] = hn::LoadU(d, p_.kernel + std::ptrdiff_t{i} * channels_ + c);
    const float* rows[3];
    std::ptrdiff_t strides[3];
    for (int i = 0; i < 3; ++i) {
      const bool inside = i >= row.taps.begin && i < row.taps.end;
      rows[i] = inside ? row.rows[i] + c : kZeros;
      strides[i] = inside ? stride_ : 0;
    }
    for (int f = 0; f < p_.output.frequency;) {
      if (f >= whole_.begin && f + kPixels <= whole_.end) {
        inside(w, rows, strides, line, f, c);
        f += kPixels;
      } else {
        edge(w, rows, strides, line, f, c);
        ++f;
      }
    }
  }

  // Pixels whose taps all lie inside the input's columns.
  HWY_INLINE void inside(const V (&w)[9], const float* const (&rows)[3], const std::ptrdiff_t (&strides)[3],
                         const Line& line, int f, int c) const {
    const FullTag d;
    V sums[kPixels][1];
    for (auto& sum : sums) sum[0] = hn::Zero(d);
    const int column = f * window_.stride_frequency - window_.pad_frequency;
    for (int i = 0; i < 3; ++i) {
      const float* x = rows[i] + column * strides[i];
      const std::ptrdiff_t step = window_.stride_frequency * strides[i];
      for (int j = 0; j < 3; ++j, x += strides[i]) {
        for (int k = 0; k < kPixels; ++k)
          sums[k][0] = hn::Add(sums[k][0], hn::Mul(hn::LoadU(d, x + k * step), w[3 * i + j]));
      }
    }
    store(d, line, f, c, sums);
  }

  // One pixel, whose taps may lie outside.
  HWY_INLINE void edge(const V (&w)[9], const float* const (&rows)[3], const std::ptrdiff_t (&strides)[3],
                       const Line& line, int f, int c) const {
    const FullTag d;
    V sums[1][1] = {{hn::Zero(d)}};
    const int column = f * window_.stride_frequency - window_.pad_frequency;
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j < 3; ++j) {
        if (column + j < 0 || column + j >= p_.input.frequency) continue;
        const V x = hn::LoadU(d, rows[i] + (column + j) * strides[i]);
        sums[0][0] = hn::Add(sums[0][0], hn::Mul(x, w[3 * i + j]));
      }
    }
    store(d, line, f, c, sums);
  }

  const Problem& p_;
  const Parameters parameters_;
  const Window window_;
  const std::ptrdiff_t channels_;
  const std::ptrdiff_t stride_;
  const Whole whole_;
};

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
