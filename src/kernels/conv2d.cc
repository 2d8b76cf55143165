// Lanes over output channels, a tile of pixels by vectors in registers:
//
//                     weights   [o .. ][   ..  ]      loaded once per step (tap, input channel)
//      pixel 0  x broadcast  -> [acc   ][acc    ]     acc = acc + x * w
//      pixel 1  x broadcast  -> [acc   ][acc    ]
//      ...
//
// 4 pixels by 2 vectors, or 2 by 4 where there are as many outputs. Every accumulator takes its terms in the
// order of conv2d.h. Pixels whose window leaves the input run alone. Depthwise: lanes over channels, one
// pixel at a time.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include <algorithm>

#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

constexpr int kMaxKernel = 31;

// What all tiles of one output row share.
struct Row {
  const Conv2dShape& shape;
  View<const float> input;
  const float* kernel;
  const Epilogue& epilogue;
  Taps taps;                        // along time
  const float* inputs[kMaxKernel];  // of each tap
  float* output;                    // pixel 0
  std::ptrdiff_t output_stride;
  const float* residual;  // pixel 0, or null
  std::ptrdiff_t residual_stride;

  Taps columns(int f) const {
    const Window& w = shape.window;
    return clip_taps(f, w.stride_frequency, w.pad_frequency, w.kernel_frequency, input.frequency);
  }
  template <int kVectors, class D, class V>
  HWY_INLINE void store(D d, int f, int channel, V (&sums)[kVectors]) const {
    finish<kVectors>(epilogue, d, channel, residual == nullptr ? nullptr : residual + f * residual_stride,
                     sums, output + f * output_stride);
  }
};

// Pixels f .. f + kPixels - 1, which all have the taps `columns` of the first, outputs from `channel` on.
template <int kPixels, int kVectors, class D>
HWY_INLINE void tile(D d, const Row& row, int f, Taps columns, int channel, int first_input) {
  constexpr int kLanes = lanes(D());
  using V = hn::Vec<D>;
  const Window& window = row.shape.window;
  const int depth = row.shape.in_channels / row.shape.groups;
  const std::ptrdiff_t outputs = row.shape.out_channels;
  const std::ptrdiff_t pixel_step = window.stride_frequency * row.input.pixel_stride;

  V sums[kPixels][kVectors];
  for (auto& pixel : sums) {
    for (V& sum : pixel) sum = hn::Zero(d);
  }
  for (int i = row.taps.begin; i < row.taps.end; ++i) {
    for (int j = columns.begin; j < columns.end; ++j) {
      const float* x = row.inputs[i] + (columns.origin + j) * row.input.pixel_stride + first_input;
      const float* weights =
          row.kernel + std::ptrdiff_t{i * window.kernel_frequency + j} * depth * outputs + channel;
      for (int c = 0; c < depth; ++c) {
        V w[kVectors];
        for (int v = 0; v < kVectors; ++v) w[v] = hn::LoadU(d, weights + v * kLanes);
        for (int p = 0; p < kPixels; ++p) {
          const V value = hn::Set(d, x[p * pixel_step + c]);
          for (int v = 0; v < kVectors; ++v) sums[p][v] = hn::Add(sums[p][v], hn::Mul(value, w[v]));
        }
        weights += outputs;
      }
    }
  }
  for (int p = 0; p < kPixels; ++p) row.store(d, f + p, channel, sums[p]);
}

// One row of output pixels [0, frequency), outputs [channel, channel + kVectors vectors).
template <int kPixels, int kVectors, class D>
HWY_NOINLINE void row_of_tiles(D d, const Row& row, int frequency, int channel, int first_input) {
  const int all = row.shape.window.kernel_frequency;
  int f = 0;
  while (f < frequency) {
    const Taps columns = row.columns(f);
    // Windows move right: if the first and the last pixel of a tile see all taps, so do those between.
    if (f + kPixels <= frequency && columns.count() == all && row.columns(f + kPixels - 1).count() == all) {
      tile<kPixels, kVectors>(d, row, f, columns, channel, first_input);
      f += kPixels;
    } else {
      tile<1, kVectors>(d, row, f, columns, channel, first_input);
      ++f;
    }
  }
}

// Outputs [channel, end) of one group, in tiles as wide as fit.
template <class D>
void row_of_group(D d, const Row& row, int frequency, int channel, int end, int first_input) {
  constexpr int kLanes = lanes(D());
  for (; channel + 4 * kLanes <= end; channel += 4 * kLanes) {
    row_of_tiles<2, 4>(d, row, frequency, channel, first_input);
  }
  for (; channel + 2 * kLanes <= end; channel += 2 * kLanes) {
    row_of_tiles<4, 2>(d, row, frequency, channel, first_input);
  }
  for (; channel + kLanes <= end; channel += kLanes) {
    row_of_tiles<4, 1>(d, row, frequency, channel, first_input);
  }
  if constexpr (kLanes > 1) {
    if (channel < end) {
      row_of_group(hn::CappedTag<float, kLanes / 2>(), row, frequency, channel, end, first_input);
    }
  }
}

void depthwise_row(const Row& row, int frequency) {
  const Window& window = row.shape.window;
  const int channels = row.shape.out_channels;
  for (int f = 0; f < frequency; ++f) {
    const Taps columns = row.columns(f);
    for_channels(FullTag(), 0, channels, [&](auto d, int c) HWY_ATTR {
      hn::Vec<decltype(d)> sum[1] = {hn::Zero(d)};
      for (int i = row.taps.begin; i < row.taps.end; ++i) {
        const float* x = row.inputs[i] + c;
        const float* weights = row.kernel + std::ptrdiff_t{i * window.kernel_frequency} * channels + c;
        for (int j = columns.begin; j < columns.end; ++j) {
          const auto value = hn::LoadU(d, x + (columns.origin + j) * row.input.pixel_stride);
          sum[0] = hn::Add(sum[0], hn::Mul(value, hn::LoadU(d, weights + std::ptrdiff_t{j} * channels)));
        }
      }
      row.store(d, f, c, sum);
    });
  }
}

void conv2d(const Conv2dShape& shape, View<const float> input, const float* kernel, const Epilogue& epilogue,
            View<float> output, int first_row, int last_row) noexcept {
  const Window& window = shape.window;
  const View<const float>& residual = epilogue.residual;
  for (int t = first_row; t < last_row; ++t) {
    Row row{shape,
            input,
            kernel,
            epilogue,
            clip_taps(t, window.stride_time, window.pad_time, window.kernel_time, input.time),
            {},
            output.row(t),
            output.pixel_stride,
            residual ? residual.row(t) : nullptr,
            residual.pixel_stride};
    for (int i = row.taps.begin; i < row.taps.end; ++i) row.inputs[i] = input.row(row.taps.origin + i);

    if (shape.groups == shape.in_channels && shape.groups == shape.out_channels) {
      depthwise_row(row, output.frequency);
    } else {
      const int inputs = shape.in_channels / shape.groups;
      const int outputs = shape.out_channels / shape.groups;
      for (int g = 0; g < shape.groups; ++g) {
        row_of_group(FullTag(), row, output.frequency, g * outputs, (g + 1) * outputs, g * inputs);
      }
    }
    if (epilogue.signs) {
      for (int f = 0; f < output.frequency; ++f) {
        store_signs(output.pixel(t, f), 0, shape.out_channels, shape.out_channels,
                    epilogue.signs.pixel(t, f));
      }
    }
  }
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(conv2d, Conv2d)
}  // namespace bittern::kernels
#endif
