// One pixel, a tile of output blocks at a time; lanes run over output channels. With 256-bit vectors and a
// tile of 4 blocks (32 outputs, 8 registers of counts):
//
//      activation words of the pixel's taps     a0   a1   a2  ...          one word broadcast per step
//                                                |
//      kernel, block b    [w0: o0..o3][o4..o7]   xor, popcount per byte, add to the registers
//              block b+1  [w0: o8..  ][  ..o15]  of counts                  [8 bytes of a lane each count
//              block b+2  [ ...                                              one byte of the xor]
//
// After at most 31 words (31 * 8 < 256) the bytes of each lane are added up. docs/kernels.md derives
// sum = channels * taps - 2 * popcount, and says why one pixel at a time is enough.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/binary_conv2d.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include <algorithm>

#include "core/bits.h"
#include "kernels/count_bits-inl.h"
#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

using IntTag = hn::CappedTag<std::int32_t, kBlockLanes>;
using IntVector = hn::Vec<IntTag>;

constexpr int kIntLanes = lanes(IntTag());
constexpr int kIntsPerBlock = kBlockLanes / kIntLanes;  // vectors

constexpr int kMaxKernel = 31;
// A pixel's activation words up to this many are first copied side by side.
constexpr int kMaxCopied = 128;
// Weights that stay in the first-level cache while all pixels pass by.
constexpr std::ptrdiff_t kGroupWords = 20 * 1024 / 8;

struct Problem {
  const BinaryConv2dShape& shape;
  View<const std::uint64_t> input;
  const std::uint64_t* kernel;
  const std::int16_t* tap_bits;
  int output_frequency;
  int first_row;
  int last_row;
};

// std::copy_n would call memmove for some three words.
HWY_INLINE std::uint64_t* copy_words(const std::uint64_t* from, int count, std::uint64_t* to) {
  const hn::CappedTag<std::uint64_t, 4> d4;
  const hn::CappedTag<std::uint64_t, 2> d2;
  const hn::CappedTag<std::uint64_t, 1> d1;
  int i = 0;
  for (; i + lanes(d4) <= count; i += lanes(d4)) hn::StoreU(hn::LoadU(d4, from + i), d4, to + i);
  for (; i + lanes(d2) <= count; i += lanes(d2)) hn::StoreU(hn::LoadU(d2, from + i), d2, to + i);
  for (; i < count; ++i) hn::StoreU(hn::LoadU(d1, from + i), d1, to + i);
  return to + count;
}

// The taps of an output pixel that lie inside the input, as runs of words; row by row, then pixel by pixel.
class Gather {
 public:
  explicit Gather(const Problem& p)
      : input_(p.input),
        window_(p.shape.window),
        words_(words_for(p.shape.in_channels)),
        contiguous_(p.input.pixel_stride == words_) {}

  void row(int t) {
    rows_ = clip_taps(t, window_.stride_time, window_.pad_time, window_.kernel_time, input_.time);
    for (int i = rows_.begin; i < rows_.end; ++i) row_of_[i] = input_.row(rows_.origin + i);
  }

  HWY_INLINE void pixel(int f) {
    columns_ = clip_taps(f, window_.stride_frequency, window_.pad_frequency, window_.kernel_frequency,
                         input_.frequency);
    const int row_words = columns_.count() * words_;
    count_ = 0;
    if (row_words == 0) return;
    const std::ptrdiff_t first = (columns_.origin + columns_.begin) * input_.pixel_stride;
    if (rows_.count() * row_words > kMaxCopied) return refer(first, row_words);
    // Whole rows are neighbours in the kernel too: one run in all.
    const bool whole = columns_.count() == window_.kernel_frequency;
    std::uint64_t* copy = copy_;
    for (int i = rows_.begin; i < rows_.end; ++i) {
      const std::uint64_t* const begin = copy;
      copy = contiguous_ ? copy_words(row_of_[i] + first, row_words, copy)
                         : copy_pixels(row_of_[i] + first, copy);
      if (!whole) runs_[count_++] = {begin, kernel_word(i, columns_.begin), row_words};
    }
    if (whole && rows_.count() > 0) {
      count_ = 1;
      runs_[0] = {copy_, kernel_word(rows_.begin, 0), rows_.count() * row_words};
    }
  }

  const Run* runs() const { return runs_; }
  int count() const { return count_; }
  int taps() const { return rows_.count() * columns_.count(); }

  // Lists the other taps.
  int outside(int* taps) const {
    int count = 0;
    for (int i = 0; i < window_.kernel_time; ++i) {
      const bool row = i >= rows_.begin && i < rows_.end;
      for (int j = 0; j < window_.kernel_frequency; ++j) {
        if (!row || j < columns_.begin || j >= columns_.end) taps[count++] = i * window_.kernel_frequency + j;
      }
    }
    return count;
  }

 private:
  std::ptrdiff_t kernel_word(int i, int j) const {
    return (std::ptrdiff_t{i} * window_.kernel_frequency + j) * words_ * kBlockLanes;
  }
  std::uint64_t* copy_pixels(const std::uint64_t* from, std::uint64_t* to) const {
    for (int j = 0; j < columns_.count(); ++j) to = copy_words(from + j * input_.pixel_stride, words_, to);
    return to;
  }
  // Where they lie: too many to copy.
  void refer(std::ptrdiff_t first, int row_words) {
    for (int i = rows_.begin; i < rows_.end; ++i) {
      if (contiguous_) {
        runs_[count_++] = {row_of_[i] + first, kernel_word(i, columns_.begin), row_words};
        continue;
      }
      for (int j = 0; j < columns_.count(); ++j)
        runs_[count_++] = {row_of_[i] + first + j * input_.pixel_stride, kernel_word(i, columns_.begin + j),
                           words_};
    }
  }

  const View<const std::uint64_t> input_;
  const Window window_;
  const int words_;
  const bool contiguous_;
  Taps rows_;
  Taps columns_;
  int count_ = 0;
  const std::uint64_t* row_of_[kMaxKernel];
  std::uint64_t copy_[kMaxCopied];
  Run runs_[kMaxKernel * kMaxKernel];
};

// Differing bits -> sums: base - 2 * (bits + outside), where tap_bits counts the bits of `outside` taps, all
// of which meet +1 there.
template <int kBlocks>
HWY_INLINE void sums_of(const WordVector (&bits)[kBlocks * kVectorsPerBlock], int base, const int* outside,
                        int outside_count, const std::int16_t* tap_bits, std::ptrdiff_t tap_stride,
                        std::ptrdiff_t channel, IntVector (&sums)[kBlocks * kIntsPerBlock]) {
  const IntTag di;
  [[maybe_unused]] const hn::RebindToUnsigned<IntTag> d32;
  constexpr int kVectors = kBlocks * kIntsPerBlock;
  for (int v = 0; v < kVectors; ++v) {
    if constexpr (kWordLanes == kBlockLanes || kWordLanes == 1) {
#if HWY_CAP_GE512
      sums[v] = hn::BitCast(di, hn::TruncateTo(d32, bits[v]));
#else
      sums[v] = hn::Set(di, static_cast<std::int32_t>(hn::GetLane(bits[v])));
#endif
    } else {
#if HWY_TARGET != HWY_SCALAR && !HWY_CAP_GE512
      sums[v] = hn::BitCast(
          di, hn::ConcatEven(d32, hn::BitCast(d32, bits[2 * v + 1]), hn::BitCast(d32, bits[2 * v])));
#endif
    }
  }
  const hn::Rebind<std::int16_t, IntTag> d16;
  for (const int* tap = outside; tap != outside + outside_count; ++tap) {
    const std::int16_t* more = tap_bits + *tap * tap_stride + channel;
    for (int v = 0; v < kVectors; ++v)
      sums[v] = hn::Add(sums[v], hn::PromoteTo(di, hn::LoadU(d16, more + std::ptrdiff_t{v} * kIntLanes)));
  }
  const auto bases = hn::Set(di, base);
  for (int v = 0; v < kVectors; ++v) sums[v] = hn::Sub(bases, hn::ShiftLeft<1>(sums[v]));
}

// Output rows of the blocks [begin, end), a multiple of kBlocks. Store: see below.
template <int kBlocks, class Store>
HWY_NOINLINE void convolve_group(const Problem& p, int begin, int end, Store store) {
  const int all_taps = p.shape.window.taps();
  const std::ptrdiff_t block_stride = std::ptrdiff_t{all_taps} * words_for(p.shape.in_channels) * kBlockLanes;
  const std::ptrdiff_t tap_stride = std::ptrdiff_t{blocks_for(p.shape.out_channels)} * kBlockLanes;
  const bool ones = p.shape.pad_with_one;
  int outside[kMaxKernel * kMaxKernel];
  Gather gather(p);
  for (int t = p.first_row; t < p.last_row; ++t) {
    gather.row(t);
    store.row(t);
    for (int f = 0; f < p.output_frequency; ++f) {
      gather.pixel(f);
      const int outside_count = ones && gather.taps() < all_taps ? gather.outside(outside) : 0;
      const int base = p.shape.in_channels * (ones ? all_taps : gather.taps());
      for (int block = begin; block < end; block += kBlocks) {
        WordVector bits[kBlocks * kVectorsPerBlock];
        count_runs<kBlocks>(gather.runs(), gather.count(), p.kernel + block * block_stride, block_stride,
                            bits);
        IntVector sums[kBlocks * kIntsPerBlock];
        sums_of<kBlocks>(bits, base, outside, outside_count, p.tap_bits, tap_stride,
                         std::ptrdiff_t{block} * kBlockLanes, sums);
        store.pixel(f, block * kBlockLanes, sums);
      }
    }
  }
}

template <int kBlocks, class Store>
void convolve(const Problem& p, int block, const Store& store) {
  const int blocks = blocks_for(p.shape.out_channels);
  const std::ptrdiff_t block_words =
      std::ptrdiff_t{p.shape.window.taps()} * words_for(p.shape.in_channels) * kBlockLanes;
  const int fitting =
      static_cast<int>(std::max<std::ptrdiff_t>(kGroupWords / block_words / kBlocks, 1)) * kBlocks;
  while (block + kBlocks <= blocks) {
    const int end = std::min(block + fitting, block + (blocks - block) / kBlocks * kBlocks);
    convolve_group<kBlocks>(p, block, end, store);
    block = end;
  }
  if constexpr (kBlocks > 1) convolve<kBlocks / 2>(p, block, store);
}

// Where sums go (Store above): row(t), then pixel(f, first channel, sums) for whole blocks, of which the last
// may be wider than the output.
class FloatStore {
 public:
  FloatStore(const Epilogue& epilogue, View<float> output) : epilogue_(epilogue), output_(output) {}
  void row(int t) {
    row_ = output_.row(t);
    if (epilogue_.residual) residual_ = epilogue_.residual.row(t);
    if (epilogue_.signs) signs_ = epilogue_.signs.row(t);
  }
  template <int kVectors>
  HWY_INLINE void pixel(int f, int channel, const IntVector (&sums)[kVectors]) const {
    const BlockTag d;
    constexpr int kCount = kVectors * kIntLanes;
    float* const pixel[] = {row_ + f * output_.pixel_stride};
    const float* const residual[] = {residual_ == nullptr ? nullptr
                                                          : residual_ + f * epilogue_.residual.pixel_stride};
    const int count = std::min(kCount, output_.channels - channel);
    if (count == kCount) {
      hn::Vec<BlockTag> y[1][kVectors];
      for (int v = 0; v < kVectors; ++v) y[0][v] = hn::ConvertTo(d, sums[v]);
      finish(epilogue_, d, channel, residual, y, pixel);
    } else {
      alignas(64) std::int32_t values[kCount];
      for (int v = 0; v < kVectors; ++v) hn::Store(sums[v], IntTag(), values + std::ptrdiff_t{v} * kIntLanes);
      const hn::CappedTag<float, 1> d1;
      for (int i = 0; i < count; ++i) {
        hn::Vec<decltype(d1)> y[1][1] = {{hn::Set(d1, static_cast<float>(values[i]))}};
        finish(epilogue_, d1, channel + i, residual, y, pixel);
      }
    }
    if (signs_ != nullptr) {
      store_signs(pixel[0], channel, channel + count, output_.channels,
                  signs_ + f * epilogue_.signs.pixel_stride);
    }
  }

 private:
  const Epilogue epilogue_;
  const View<float> output_;
  float* row_ = nullptr;
  const float* residual_ = nullptr;
  std::uint64_t* signs_ = nullptr;
};

void binary_conv2d(const BinaryConv2dShape& shape, View<const std::uint64_t> input,
                   const std::uint64_t* kernel, const std::int16_t* tap_bits, const Epilogue& epilogue,
                   View<float> output, int first_row, int last_row) noexcept {
  convolve<kTileBlocks>({shape, input, kernel, tap_bits, output.frequency, first_row, last_row}, 0,
                        FloatStore(epilogue, output));
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(binary_conv2d, BinaryConv2d)
}  // namespace bittern::kernels
#endif
