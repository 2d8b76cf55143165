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

// The input rows under a row of outputs as levels, with padding around them.
class Levels {
 public:
  Levels(const Int8Conv2dShape& shape, const View<const float>& input, int columns)
      : shape_(shape),
        input_(input),
        bytes_((static_cast<std::ptrdiff_t>(columns - 1) * shape.window.stride_frequency +
                shape.window.kernel_frequency) *
                   shape.in_channels +
               kQuad - 1) {
    std::memset(levels_, shape.input_zero,
                static_cast<std::size_t>(bytes_) * (static_cast<std::size_t>(shape.window.kernel_time) + 1));
  }

  // For output row t; rows in ascending order keep what they share.
  void prepare(int t) {
    const Window& window = shape_.window;
    for (int i = 0; i < window.kernel_time; ++i) {
      const int row = t * window.stride_time - window.pad_time + i;
      const bool outside = row < 0 || row >= input_.time;
      rows[i] = outside ? levels_ + window.kernel_time * bytes_ : level_row(row);
    }
  }

  const std::uint8_t* rows[kMaxKernel];  // from the first input column, padding included

 private:
  const std::uint8_t* level_row(int row) {
    const Window& window = shape_.window;
    const int slot = row % window.kernel_time;
    std::uint8_t* const to = levels_ + slot * bytes_;
    if (held_[slot] == row + 1) return to;
    held_[slot] = row + 1;
    const std::ptrdiff_t depth = shape_.in_channels;
    const std::ptrdiff_t before = window.pad_frequency * depth;
    const std::ptrdiff_t inside = std::min(input_.frequency * depth, bytes_ - (kQuad - 1) - before);
    if (input_.pixel_stride == depth) {
      quantize(input_.row(row), inside, to + before);
    } else {
      for (std::ptrdiff_t done = 0; done < inside; done += depth)
        quantize(input_.row(row) + done / depth * input_.pixel_stride, depth, to + before + done);
    }
    return to;
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
    const auto most = hn::Set(d, 255.0F - zero);
    x = hn::IfThenElse(hn::Lt(most, x), most, x);
    // 1.5 * 2^23: floats there are whole numbers, which addition rounds to, ties to even.
    constexpr std::int32_t kBitsOfMagic = 0x4B400000;
    const auto rounded = hn::BitCast(d32, hn::Add(x, hn::Set(d, 12582912.0F)));
    const auto level = hn::Sub(rounded, hn::Set(d32, kBitsOfMagic - shape_.input_zero));
    hn::StoreU(hn::DemoteTo(d8, level), d8, to);
  }

  const Int8Conv2dShape& shape_;
  const View<const float>& input_;
  const std::ptrdiff_t bytes_;  // of a row
  int held_[kMaxKernel] = {};   // 1 more than the row that the slot holds; 0: none
  std::uint8_t levels_[kMaxInt8Window];
};

class Int8Convolution {
 public:
  Int8Convolution(const Int8Conv2dShape& shape, const View<const float>& input, const std::int8_t* kernel,
                  const Epilogue& epilogue, const View<float>& output)
      : shape_(shape),
        kernel_(kernel),
        epilogue_(epilogue),
        parameters_(epilogue),
        output_(output),
        quads_(quads_for(shape.window.kernel_frequency * shape.in_channels)),
        levels_(shape, input, output.frequency) {
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
    for (int t = first; t < last; ++t) {
      levels_.prepare(t);
      // One loop over a table: loops over rows and quads end after a few rounds, and each end is
      // mispredicted.
      const std::uint8_t* quads[kMaxInt8Quads];
      int count = 0;
      for (int i = 0; i < shape_.window.kernel_time; ++i) {
        for (int q = 0; q < quads_; ++q) quads[count++] = levels_.rows[i] + std::ptrdiff_t{q} * kQuad;
      }
      const Row row{quads, count, output_.row(t), epilogue_.residual ? epilogue_.residual.row(t) : nullptr,
                    epilogue_.signs ? epilogue_.signs.row(t) : nullptr};
      for (int block = 0; block < shape_.out_channels / kInt8Lanes; ++block) {
        int f = 0;
        for (; f + kPixels <= output_.frequency; f += kPixels) pixels<kPixels>(block, row, f);
        for (; f < output_.frequency; ++f) pixels<1>(block, row, f);
      }
    }
  }

 private:
  // Of one row of outputs; residual and signs are null where there are none.
  struct Row {
    const std::uint8_t* const* quads;
    int count;
    float* output;
    const float* residual;
    std::uint64_t* signs;
  };

  const std::int8_t* block_of(int block) const {
    return kernel_ + std::ptrdiff_t{block} * shape_.window.kernel_time * quads_ * kInt8Lanes * kQuad;
  }
  static HWY_INLINE QuadWeights take(const std::int8_t*& weights) {
    const QuadWeights taken(load_quads(weights));
    weights += std::ptrdiff_t{kSumLanes} * kQuad;
    return taken;
  }

  template <int kCount>
  HWY_INLINE void pixels(int block, const Row& row, int f) const {
    const Int8SumTag d;
    Int8Sums sums[kCount][kVectors];
    for (int v = 0; v < kVectors; ++v) {
      const auto start =
          hn::LoadU(d, starts_ + std::ptrdiff_t{block} * kInt8Lanes + std::ptrdiff_t{v} * kSumLanes);
      for (int p = 0; p < kCount; ++p) sums[p][v] = start;
    }
    const std::int8_t* weights = block_of(block);
    const std::ptrdiff_t step = std::ptrdiff_t{shape_.window.stride_frequency} * shape_.in_channels;
    const std::ptrdiff_t first = f * step;
    for (const std::uint8_t* const* at = row.quads; at != row.quads + row.count; ++at) {
      const std::uint8_t* const levels = *at + first;
      QuadWeights w[kVectors];
      for (int v = 0; v < kVectors; ++v) w[v] = take(weights);
      for (int p = 0; p < kCount; ++p) {
        std::uint32_t quad;
        std::memcpy(&quad, levels + p * step, sizeof(quad));
        const QuadInputs x(quad);
        for (int v = 0; v < kVectors; ++v) sums[p][v] = add_products(sums[p][v], x, w[v]);
      }
    }
    store(block * kInt8Lanes, row, f, sums);
  }

  template <int kCount>
  HWY_INLINE void store(int channel, const Row& row, int f, Int8Sums (&sums)[kCount][kVectors]) const {
    const hn::RebindToFloat<Int8SumTag> d;
    hn::Vec<decltype(d)> y[kCount][kVectors];
    float* output[kCount];
    const float* residual[kCount] = {};
    for (int p = 0; p < kCount; ++p) {
      output[p] = row.output + (f + p) * output_.pixel_stride;
      if (row.residual != nullptr) residual[p] = row.residual + (f + p) * epilogue_.residual.pixel_stride;
      for (int v = 0; v < kVectors; ++v) y[p][v] = hn::ConvertTo(d, sums[p][v]);
    }
    finish(parameters_, d, channel, residual, y, output);
    if (row.signs == nullptr) return;
    for (int p = 0; p < kCount; ++p) {
      for (int v = 0; v < kVectors; ++v)
        y[p][v] = signed_of(parameters_, d, y[p][v], channel + v * kSumLanes);
      std::uint64_t* const words = row.signs + (f + p) * epilogue_.signs.pixel_stride;
      store_signs_of(d, y[p], channel, words);
      if (channel + kInt8Lanes == output_.channels) clear_signs_after(output_.channels, words);
    }
  }

  const Int8Conv2dShape& shape_;
  const std::int8_t* const kernel_;
  const Epilogue& epilogue_;
  const Parameters parameters_;
  const View<float>& output_;
  const int quads_;  // of a row of the kernel
  Levels levels_;
  std::int32_t starts_[kMaxInt8Outputs];
};

void conv2d_int8(const Int8Conv2dShape& shape, View<const float> input, const std::int8_t* kernel,
                 const Epilogue& epilogue, View<float> output, int first_row, int last_row) noexcept {
  if (first_row >= last_row) return;
  Int8Convolution(shape, input, kernel, epilogue, output).rows(first_row, last_row);
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(conv2d_int8, Conv2dInt8)
}  // namespace bittern::kernels
#endif
