// Lanes over output channels, a tile of pixels by one block of 16 outputs in registers:
//
//      input rows as levels   [x0 x1 x2 x3 x4 ..]     one byte each, zeros' level around them
//      pixel 0                 [-- quad --]           four neighbours, spread over the lanes
//      pixel 1                    [-- quad --]
//      kernel, block b        [o0: w0..w3][o1: w0..w3] ..   loaded once for all pixels of the tile
//
// Padding has the level of 0 like any input, and what zero adds to every sum is taken off where sums start.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/conv2d_int8.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include <algorithm>
#include <cstring>
#include <limits>

#include "core/int8_kernel.h"
#include "kernels/dot_int8-inl.h"
#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

constexpr int kSumLanes = static_cast<int>(hn::MaxLanes(Int8SumTag()));
constexpr int kVectors = kInt8Lanes / kSumLanes;
constexpr int kPixels = kVectors == 1 ? 8 : kVectors == 2 ? 4 : 2;  // of a tile

// The input rows under some rows of outputs as levels, with padding around them, one behind the other.
class Levels {
 public:
  // For at most `rows` rows of `columns` outputs at once, fewer where the window does not hold so many.
  Levels(const Int8Conv2dShape& shape, const View<const float>& input, int rows, int columns)
      : shape_(shape),
        input_(input),
        bytes_((static_cast<std::ptrdiff_t>(columns - 1) * shape.window.stride_frequency +
                shape.window.kernel_frequency) *
                   shape.in_channels +
               kQuad - 1) {
    const Window& window = shape.window;
    const auto held = static_cast<int>(kMaxInt8Window / bytes_);  // at least kernel_time (core/int8_kernel.h)
    rows_at_once_ = std::clamp(rows, 1, (held - window.kernel_time) / window.stride_time + 1);
    std::memset(levels_, shape.input_zero,
                static_cast<std::size_t>(input_rows(rows_at_once_)) * static_cast<std::size_t>(bytes_));
  }

  std::ptrdiff_t row_bytes() const { return bytes_; }
  const std::uint8_t* data() const { return levels_; }  // from the first input column, padding included

  int rows_at_once() const { return rows_at_once_; }  // of outputs

  // For output rows [t, t + rows), at most rows_at_once(), t ascending from call to call: what is still
  // needed stays.
  void prepare(int t, int rows) {
    const Window& window = shape_.window;
    const int first = t * window.stride_time - window.pad_time;
    const int end = first + input_rows(rows);
    const int kept = std::max(0, end_ - first);
    if (kept > 0)
      std::memmove(levels_, levels_ + (first - first_) * bytes_, static_cast<std::size_t>(kept * bytes_));
    for (int row = first + kept; row < end; ++row) {
      std::uint8_t* const to = levels_ + (row - first) * bytes_;
      if (row < 0 || row >= input_.time) {
        std::memset(to, shape_.input_zero, static_cast<std::size_t>(bytes_));
      } else {
        quantize_row(row, to);
      }
    }
    first_ = first;
    end_ = end;
  }

 private:
  // Under so many rows of outputs.
  int input_rows(int rows) const {
    return (rows - 1) * shape_.window.stride_time + shape_.window.kernel_time;
  }

  // Padding before and behind the row is there.
  void quantize_row(int row, std::uint8_t* to) const {
    const std::ptrdiff_t depth = shape_.in_channels;
    const std::ptrdiff_t before = shape_.window.pad_frequency * depth;
    const std::ptrdiff_t inside = std::min(input_.frequency * depth, bytes_ - (kQuad - 1) - before);
    if (input_.pixel_stride == depth) {
      quantize(input_.row(row), inside, to + before);
    } else {
      for (std::ptrdiff_t done = 0; done < inside; done += depth)
        quantize(input_.row(row) + done / depth * input_.pixel_stride, depth, to + before + done);
    }
  }

  HWY_NOINLINE void quantize(const float* from, std::ptrdiff_t count, std::uint8_t* to) const {
    const FullTag d;
    std::ptrdiff_t i = 0;
    for (; i + lanes(d) <= count; i += lanes(d)) quantize_vector(d, from + i, to + i);
    for (; i < count; ++i) quantize_vector(hn::CappedTag<float, 1>(), from + i, to + i);
  }

  template <class D>
  HWY_INLINE void quantize_vector(D d, const float* from, std::uint8_t* to) const {
    const hn::RebindToSigned<D> d32;
    const hn::Rebind<std::uint8_t, D> d8;
    const auto zero = static_cast<float>(shape_.input_zero);
    auto x = hn::Mul(hn::LoadU(d, from), hn::Set(d, shape_.input_scale));
    x = larger_of(d, hn::Set(d, -zero), x);
    x = hn::Min(x, hn::Set(d, 255.0F - zero));  // no NaN is left
    // 1.5 * 2^23: floats there are whole numbers, which addition rounds to, ties to even.
    constexpr std::int32_t kBitsOfMagic = 0x4B400000;
    const auto rounded = hn::BitCast(d32, hn::Add(x, hn::Set(d, 12582912.0F)));
    const auto level = hn::Sub(rounded, hn::Set(d32, kBitsOfMagic - shape_.input_zero));
    hn::StoreU(hn::DemoteTo(d8, level), d8, to);
  }

  const Int8Conv2dShape& shape_;
  const View<const float>& input_;
  const std::ptrdiff_t bytes_;  // of a row
  int rows_at_once_ = 1;
  int first_ = 0;  // input rows [first_, end_) are held
  int end_ = std::numeric_limits<int>::min() / 2;
  std::uint8_t levels_[kMaxInt8Window];
};

class Int8Convolution {
 public:
  Int8Convolution(const Int8Conv2dShape& shape, const View<const float>& input, const std::int8_t* kernel,
                  const Epilogue& epilogue, const View<float>& output, int rows)
      : shape_(shape),
        kernel_(kernel),
        epilogue_(epilogue),
        parameters_(epilogue),
        output_(output),
        quads_(quads_for(shape.window.kernel_frequency * shape.in_channels)),
        // Several rows at once where they are short, so that most tiles are full.
        levels_(shape, input, std::min(rows, kPixelsAtOnce / output.frequency), output.frequency) {
    const QuadInputs zero(static_cast<std::uint32_t>(shape.input_zero) * 0x01010101U);
    const Int8SumTag d;
    for (int block = 0; block < shape.out_channels / kInt8Lanes; ++block) {
      const std::int8_t* weights = block_of(block);
      Int8Sums sums[kVectors];
      for (Int8Sums& sum : sums) sum = hn::Zero(d);
      for (int q = 0; q < shape.window.kernel_time * quads_; ++q) {
        for (int v = 0; v < kVectors; ++v) sums[v] = add_products(sums[v], zero, take(weights));
      }
      for (int v = 0; v < kVectors; ++v)
        hn::StoreU(hn::Sub(hn::Zero(d), sums[v]), d,
                   starts_ + std::ptrdiff_t{block} * kInt8Lanes + std::ptrdiff_t{v} * kSumLanes);
    }
  }

  HWY_NOINLINE void rows(int first, int last) {
    // One loop over a table: loops over rows and quads end after a few rounds, and each end is mispredicted.
    std::ptrdiff_t quads[kMaxInt8Quads];
    int count = 0;
    for (int i = 0; i < shape_.window.kernel_time; ++i) {
      for (int q = 0; q < quads_; ++q) quads[count++] = i * levels_.row_bytes() + std::ptrdiff_t{q} * kQuad;
    }
    for (int t = first; t < last; t += levels_.rows_at_once()) {
      const int rows = std::min(levels_.rows_at_once(), last - t);
      levels_.prepare(t, rows);
      const int pixels = rows * output_.frequency;
      for (int from = 0; from < pixels; from += kPixelsAtOnce) {
        const Places places = places_of(t, from, std::min(pixels, from + kPixelsAtOnce));
        for (int block = 0; block < shape_.out_channels / kInt8Lanes; ++block) {
          for (int p = 0; p < places.count; p += kPixels) tile(block, quads, count, places, p);
        }
      }
    }
  }

 private:
  static constexpr int kPixelsAtOnce = 32;

  // What some pixels, row after row, read and where they go. Past the last one they are that one again and go
  // nowhere, up to a whole tile.
  struct Places {
    int count = 0;  // without those
    const std::uint8_t* levels[kPixelsAtOnce];
    float* output[kPixelsAtOnce];
    const float* residual[kPixelsAtOnce];  // null where there is none, signs alike
    std::uint64_t* signs[kPixelsAtOnce];
  };

  // Pixels [from, to) of the rows from t on.
  HWY_INLINE Places places_of(int t, int from, int to) {
    const std::ptrdiff_t step = std::ptrdiff_t{shape_.window.stride_frequency} * shape_.in_channels;
    Places places;
    places.count = to - from;
    int row = from / output_.frequency, column = from % output_.frequency;
    for (int p = 0; p < round_up(places.count); ++p) {
      const bool real = p < places.count;
      if (!real) row = (to - 1) / output_.frequency, column = (to - 1) % output_.frequency;
      places.levels[p] = levels_.data() +
                         std::ptrdiff_t{row} * shape_.window.stride_time * levels_.row_bytes() +
                         column * step;
      places.output[p] = real ? output_.row(t + row) + column * output_.pixel_stride : nowhere_;
      places.residual[p] = epilogue_.residual
                               ? epilogue_.residual.row(t + row) + column * epilogue_.residual.pixel_stride
                               : nullptr;
      places.signs[p] = !epilogue_.signs ? nullptr
                        : real ? epilogue_.signs.row(t + row) + column * epilogue_.signs.pixel_stride
                               : no_signs_;
      if (++column == output_.frequency) column = 0, ++row;
    }
    return places;
  }
  static constexpr int round_up(int count) { return (count + kPixels - 1) / kPixels * kPixels; }

  const std::int8_t* block_of(int block) const {
    return kernel_ + std::ptrdiff_t{block} * shape_.window.kernel_time * quads_ * kInt8Lanes * kQuad;
  }
  static HWY_INLINE QuadWeights take(const std::int8_t*& weights) {
    const QuadWeights taken(load_quads(weights));
    weights += std::ptrdiff_t{kSumLanes} * kQuad;
    return taken;
  }

  // Pixels from `from` on by one block.
  HWY_INLINE void tile(int block, const std::ptrdiff_t* quads, int count, const Places& places,
                       int from) const {
    const Int8SumTag d;
    Int8Sums sums[kPixels][kVectors];
    for (int v = 0; v < kVectors; ++v) {
      const auto start =
          hn::LoadU(d, starts_ + std::ptrdiff_t{block} * kInt8Lanes + std::ptrdiff_t{v} * kSumLanes);
      for (int p = 0; p < kPixels; ++p) sums[p][v] = start;
    }
    const std::int8_t* weights = block_of(block);
    const std::uint8_t* levels[kPixels];
    for (int p = 0; p < kPixels; ++p) levels[p] = places.levels[from + p];
    for (const std::ptrdiff_t* at = quads; at != quads + count; ++at) {
      QuadWeights w[kVectors];
      for (int v = 0; v < kVectors; ++v) w[v] = take(weights);
      for (int p = 0; p < kPixels; ++p) {
        std::uint32_t quad;
        std::memcpy(&quad, levels[p] + *at, sizeof(quad));
        const QuadInputs x(quad);
        for (int v = 0; v < kVectors; ++v) sums[p][v] = add_products(sums[p][v], x, w[v]);
      }
    }
    store(block * kInt8Lanes, places, from, sums);
  }

  HWY_INLINE void store(int channel, const Places& places, int from,
                        Int8Sums (&sums)[kPixels][kVectors]) const {
    const hn::RebindToFloat<Int8SumTag> d;
    hn::Vec<decltype(d)> y[kPixels][kVectors];
    float* output[kPixels];
    const float* residual[kPixels];
    for (int p = 0; p < kPixels; ++p) {
      output[p] = places.output[from + p];
      residual[p] = places.residual[from + p];
      for (int v = 0; v < kVectors; ++v) y[p][v] = hn::ConvertTo(d, sums[p][v]);
    }
    finish(parameters_, d, channel, residual, y, output);
    if (places.signs[from] == nullptr) return;
    for (int v = 0; v < kVectors; ++v) {
      for (int p = 0; p < kPixels; ++p) y[p][v] = signed_of(parameters_, d, y[p][v], channel + v * kSumLanes);
    }
    for (int p = 0; p < kPixels; ++p) store_signs_of(d, y[p], channel, places.signs[from + p]);
    if (channel + kInt8Lanes < output_.channels || output_.channels % kWordBits == 0) return;
    for (int p = 0; p < kPixels; ++p) clear_signs_after(output_.channels, places.signs[from + p]);
  }

  const Int8Conv2dShape& shape_;
  const std::int8_t* const kernel_;
  const Epilogue& epilogue_;
  const Parameters parameters_;
  const View<float>& output_;
  const int quads_;  // of a row of the kernel
  Levels levels_;
  std::int32_t starts_[kMaxInt8Outputs];
  float nowhere_[kMaxInt8Outputs];
  std::uint64_t no_signs_[words_for(kMaxInt8Outputs)];
};

void conv2d_int8(const Int8Conv2dShape& shape, View<const float> input, const std::int8_t* kernel,
                 const Epilogue& epilogue, View<float> output, int first_row, int last_row) noexcept {
  if (first_row >= last_row) return;
  Int8Convolution(shape, input, kernel, epilogue, output, last_row - first_row).rows(first_row, last_row);
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(conv2d_int8, Conv2dInt8)
}  // namespace bittern::kernels
#endif
