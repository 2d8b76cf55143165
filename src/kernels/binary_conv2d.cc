// One pixel, a group of output blocks at a time; lanes run over output channels. With 256-bit vectors and a
// group of 4 blocks (32 outputs, 8 registers of counts):
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

#include "core/bits.h"
#include "kernels/count_bits-inl.h"
#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

using IntTag = hn::CappedTag<std::int32_t, kBlockLanes>;

constexpr int kMaxKernel = 31;

// The counts of one group of blocks.
template <int kBlocks>
class Counter {
 public:
  static constexpr int kVectors = kBlocks * kVectorsPerBlock;

  // kernel: the group's first block; block_stride: words from block to block.
  HWY_INLINE Counter(const std::uint64_t* kernel, std::ptrdiff_t block_stride)
      : kernel_(kernel), block_stride_(block_stride) {
    for (int v = 0; v < kVectors; ++v) counts_[v] = totals_[v] = hn::Zero(WordTag());
  }

  // Adds the differing bits of `count` words from word `first` of the kernel on. `activations` null: +1 all
  // over.
  template <bool kOnes>
  HWY_INLINE void add(const std::uint64_t* activations, int first, int count) {
    const WordTag d;
    const std::uint64_t* weights = kernel_ + std::ptrdiff_t{first} * kBlockLanes;
    while (count > 0) {
      const int run = count < room_ ? count : room_;
      for (int i = 0; i < run; ++i) {
        const auto activation = kOnes ? hn::Zero(d) : hn::Set(d, activations[i]);
        for (int v = 0; v < kVectors; ++v) {
          const auto weight = hn::Load(d, weights + (v / kVectorsPerBlock) * block_stride_ +
                                              std::ptrdiff_t{v % kVectorsPerBlock} * kWordLanes);
          counts_[v] = add_counts(counts_[v], count_bits(hn::Xor(activation, weight)));
        }
        weights += kBlockLanes;
      }
      if constexpr (!kOnes) activations += run;
      count -= run;
      room_ -= run;
      if (room_ == 0) flush();
    }
  }

  // base - 2 * count for each output of the group.
  HWY_INLINE void finish(int base, std::int32_t* sums) {
    flush();
    [[maybe_unused]] const hn::RebindToUnsigned<IntTag> d32;
    auto* counts = reinterpret_cast<std::uint32_t*>(sums);
    if constexpr (kWordLanes == 1) {
      for (int v = 0; v < kVectors; ++v) counts[v] = static_cast<std::uint32_t>(hn::GetLane(totals_[v]));
    } else if constexpr (kWordLanes == kBlockLanes) {
#if HWY_CAP_GE512
      for (int v = 0; v < kVectors; ++v) {
        hn::Store(hn::TruncateTo(d32, totals_[v]), d32, counts + std::ptrdiff_t{v} * kWordLanes);
      }
#endif
    } else {
#if HWY_TARGET != HWY_SCALAR && !HWY_CAP_GE512
      for (int v = 0; v < kVectors; v += 2) {
        const auto both = hn::ConcatEven(d32, hn::BitCast(d32, totals_[v + 1]), hn::BitCast(d32, totals_[v]));
        hn::Store(both, d32, counts + std::ptrdiff_t{v} * kWordLanes);
      }
#endif
    }
    const IntTag di;
    const auto bases = hn::Set(di, base);
    for (int i = 0; i < kBlocks * kBlockLanes; i += lanes(di)) {
      hn::Store(hn::Sub(bases, hn::ShiftLeft<1>(hn::Load(di, sums + i))), di, sums + i);
    }
  }

 private:
  HWY_INLINE void flush() {
    for (int v = 0; v < kVectors; ++v) {
      totals_[v] = hn::Add(totals_[v], totals(counts_[v]));
      counts_[v] = hn::Zero(WordTag());
    }
    room_ = kWordsPerFlush;
  }

  const std::uint64_t* kernel_;
  std::ptrdiff_t block_stride_;
  int room_ = kWordsPerFlush;
  WordVector counts_[kVectors];
  WordVector totals_[kVectors];
};

struct Problem {
  const BinaryConv2dShape& shape;
  View<const std::uint64_t> input;
  const std::uint64_t* kernel;
  int output_frequency;
  int first_row;
  int last_row;
};

// Output rows of the blocks [block, block + kBlocks): store(t, f, first channel, sums).
template <int kBlocks, class Store>
HWY_NOINLINE void convolve_blocks(const Problem& p, int block, const Store& store) {
  const Window& window = p.shape.window;
  const View<const std::uint64_t>& input = p.input;
  const int words = words_for(p.shape.in_channels);
  const int row_words = window.kernel_frequency * words;
  const std::ptrdiff_t block_stride = std::ptrdiff_t{window.taps()} * words * kBlockLanes;
  const std::uint64_t* kernel = p.kernel + block * block_stride;
  const bool contiguous = input.pixel_stride == words;  // a row's taps are then one run of words
  const bool ones = p.shape.pad_with_one;

  for (int t = p.first_row; t < p.last_row; ++t) {
    const Taps rows = clip_taps(t, window.stride_time, window.pad_time, window.kernel_time, input.time);
    const std::uint64_t* row_of[kMaxKernel];
    for (int i = rows.begin; i < rows.end; ++i) row_of[i] = input.row(rows.origin + i);

    for (int f = 0; f < p.output_frequency; ++f) {
      const Taps columns = clip_taps(f, window.stride_frequency, window.pad_frequency,
                                     window.kernel_frequency, input.frequency);
      const int step = contiguous && columns.count() > 0 ? columns.count() : 1;
      Counter<kBlocks> counter(kernel, block_stride);
      for (int i = rows.begin; i < rows.end; ++i) {
        for (int j = columns.begin; j < columns.end; j += step) {
          counter.template add<false>(row_of[i] + (columns.origin + j) * input.pixel_stride,
                                      i * row_words + j * words, step * words);
        }
      }
      int taps = rows.count() * columns.count();
      if (ones && taps < window.taps()) {
        for (int i = 0; i < window.kernel_time; ++i) {
          const bool inside = i >= rows.begin && i < rows.end;
          const int begin = inside ? columns.begin : window.kernel_frequency;
          const int end = inside ? columns.end : window.kernel_frequency;
          counter.template add<true>(nullptr, i * row_words, begin * words);
          counter.template add<true>(nullptr, i * row_words + end * words,
                                     (window.kernel_frequency - end) * words);
        }
        taps = window.taps();
      }
      alignas(64) std::int32_t sums[kBlocks * kBlockLanes];
      counter.finish(p.shape.in_channels * taps, sums);
      store(t, f, block * kBlockLanes, sums);
    }
  }
}

// Groups of as many blocks as fill eight registers, then smaller ones.
template <int kBlocks, class Store>
void convolve(const Problem& p, int block, const Store& store) {
  const int blocks = blocks_for(p.shape.out_channels);
  for (; block + kBlocks <= blocks; block += kBlocks) convolve_blocks<kBlocks>(p, block, store);
  if constexpr (kBlocks > 1) convolve<kBlocks / 2>(p, block, store);
}

constexpr int kGroupBlocks = kVectorsPerBlock >= 8 ? 1 : 8 / kVectorsPerBlock;

void binary_conv2d_sums(const BinaryConv2dShape& shape, View<const std::uint64_t> input,
                        const std::uint64_t* kernel, View<std::int32_t> output, int first_row,
                        int last_row) noexcept {
  const Problem problem{shape, input, kernel, output.frequency, first_row, last_row};
  const auto store = [&]<int kCount>(int t, int f, int channel, const std::int32_t(&sums)[kCount]) HWY_ATTR {
    std::int32_t* pixel = output.pixel(t, f) + channel;
    const int count = shape.out_channels - channel;
    for (int i = 0; i < kCount && i < count; ++i) pixel[i] = sums[i];
  };
  convolve<kGroupBlocks>(problem, 0, store);
}

void binary_conv2d(const BinaryConv2dShape& shape, View<const std::uint64_t> input,
                   const std::uint64_t* kernel, const Epilogue& epilogue, View<float> output, int first_row,
                   int last_row) noexcept {
  const Problem problem{shape, input, kernel, output.frequency, first_row, last_row};
  const auto store = [&]<int kCount>(int t, int f, int channel, const std::int32_t(&sums)[kCount]) HWY_ATTR {
    const BlockTag d;
    const IntTag di;
    constexpr int kVectors = kCount / lanes(BlockTag());
    float* pixel = output.pixel(t, f);
    const float* residual = epilogue.residual ? epilogue.residual.pixel(t, f) : nullptr;
    const int count = shape.out_channels - channel < kCount ? shape.out_channels - channel : kCount;
    if (count == kCount) {
      hn::Vec<BlockTag> y[kVectors];
      for (int v = 0; v < kVectors; ++v)
        y[v] = hn::ConvertTo(d, hn::Load(di, sums + std::ptrdiff_t{v} * lanes(d)));
      finish<kVectors>(epilogue, d, channel, residual, y, pixel);
    } else {  // the last block, where it is not full
      const hn::CappedTag<float, 1> d1;
      for (int i = 0; i < count; ++i) {
        hn::Vec<decltype(d1)> y[1] = {hn::Set(d1, static_cast<float>(sums[i]))};
        finish<1>(epilogue, d1, channel + i, residual, y, pixel);
      }
    }
    if (epilogue.signs) {
      store_signs(pixel, channel, channel + count, shape.out_channels, epilogue.signs.pixel(t, f));
    }
  };
  convolve<kGroupBlocks>(problem, 0, store);
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(binary_conv2d, BinaryConv2d)
BITTERN_EXPORT_KERNEL(binary_conv2d_sums, BinaryConv2dSums)
}  // namespace bittern::kernels
#endif
