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
#include "kernels/count_down-inl.h"
#include "kernels/epilogue-inl.h"
#include "kernels/lanes-inl.h"
#include "kernels/row_taps.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// Sums of kBlocks blocks: vectors of at most two blocks each.
template <int kBlocks>
using SumTag =
    hn::CappedTag<std::int32_t, kBlocks == 1 ? std::size_t{kBlockLanes} : std::size_t{2} * kBlockLanes>;
template <int kBlocks>
constexpr int kSumLanes = lanes(SumTag<kBlocks>());
template <int kBlocks>
using Sums = hn::Vec<SumTag<kBlocks>>[kBlocks * kBlockLanes / kSumLanes<kBlocks>];

// Weights that stay in the first-level cache while all pixels pass by.
constexpr std::ptrdiff_t kGroupWords = 20 * 1024 / 8;
constexpr int kGroupBlocks = 32;

struct Problem {
  const BinaryConv2dShape& shape;
  const View<const std::uint64_t>& input;
  const std::uint64_t* kernel;
  const std::int16_t* tap_bits;
  const Epilogue& epilogue;
  const View<float>& output;
  int first_row;
  int last_row;
};

// The taps of an output pixel that lie inside the input, as runs of words, and, where padding is +1, a list
// of the others.
struct Patch {
  int taps = 0;  // inside
  Runs runs;
  int outside_count = 0;
  int outside[kMaxKernel * kMaxKernel];
};

// Output pixels of rows [top, bottom) and columns [left, right).
struct Area {
  int top;
  int bottom;
  int left;
  int right;
};

class Gather {
 public:
  explicit Gather(const Problem& p)
      : input_(p.input),
        window_(p.shape.window),
        words_(words_for(p.shape.in_channels)),
        contiguous_(p.input.pixel_stride == words_),
        list_outside_(p.shape.pad_with_one),
        columns_(whole_columns(p.shape.window, p.input.frequency, p.output.frequency)) {
    const int rings =
        std::max({p.input.ring, p.output.ring, p.epilogue.residual.ring, p.epilogue.signs.ring});
    if (rings == 0) rows_ = whole_rows(window_, p.input.time, p.output.time);
  }

  // The pixels from (t, f) on that have its patch, `column_step` words further for each column and `row_step`
  // for each row: one, unless windows lie inside the input. Many at once, for each end of a loop that comes
  // sooner than the last time is mispredicted.
  Area area(int t, int f, int last_row) const {
    return {t, rows_.contains(t) ? std::min(rows_.end, last_row) : t + 1, f,
            columns_.contains(f) ? columns_.end : f + 1};
  }
  std::ptrdiff_t column_step() const { return window_.stride_frequency * input_.pixel_stride; }
  std::ptrdiff_t row_step() const { return window_.stride_time * input_.row_stride; }

  void pixel(int t, int f, Patch& patch) const {
    const RowTaps<std::uint64_t> row(window_, input_, t);
    const Taps columns = clip_columns(window_, f, input_.frequency);
    patch.taps = row.taps.count() * columns.count();
    patch.runs.words = patch.taps * words_;
    patch.runs.count = 0;
    for (int i = row.taps.begin; i < row.taps.end && columns.count() > 0; ++i) {
      Run& run = patch.runs.runs[patch.runs.count++];
      run.activations = row.rows[i] + (columns.origin + columns.begin) * input_.pixel_stride;
      run.kernel = (std::ptrdiff_t{i} * window_.kernel_frequency + columns.begin) * words_ * kBlockLanes;
      run.stride = input_.pixel_stride;
      run.pixels = contiguous_ ? 1 : columns.count();
      run.words = contiguous_ ? columns.count() * words_ : words_;
    }
    const int row_words = columns.count() * words_;
    patch.runs.nines = contiguous_ && patch.runs.count == 3 && row_words % 3 == 0 ? row_words / 3 : 0;
    patch.outside_count = 0;
    if (list_outside_ && patch.taps < window_.taps()) list_outside(row.taps, columns, patch);
  }

 private:
  void list_outside(Taps rows, Taps columns, Patch& patch) const {
    for (int i = 0; i < window_.kernel_time; ++i) {
      const bool row = i >= rows.begin && i < rows.end;
      for (int j = 0; j < window_.kernel_frequency; ++j) {
        if (row && j >= columns.begin && j < columns.end) continue;
        patch.outside[patch.outside_count++] = i * window_.kernel_frequency + j;
      }
    }
  }

  const View<const std::uint64_t> input_;
  const Window window_;
  const int words_;
  const bool contiguous_;
  const bool list_outside_;
  const Whole columns_;
  Whole rows_;  // of views that are no rings
};

// The low halves of 64-bit lanes.
template <int kBlocks>
HWY_INLINE void narrow(const WordVector (&words)[kBlocks * kVectorsPerBlock], Sums<kBlocks>& sums) {
  const SumTag<kBlocks> d;
  [[maybe_unused]] const hn::RebindToUnsigned<SumTag<kBlocks>> du;
  constexpr int kCount = kBlocks * kBlockLanes / kSumLanes<kBlocks>;
  for (int v = 0; v < kCount; ++v) {
    if constexpr (kWordLanes == 1) {
      sums[v] = hn::Set(d, static_cast<std::int32_t>(hn::GetLane(words[v])));
    } else if constexpr (kSumLanes<kBlocks> == kWordLanes) {
      sums[v] = hn::BitCast(d, hn::TruncateTo(du, words[v]));
    } else {
#if HWY_TARGET != HWY_SCALAR
      sums[v] = hn::BitCast(
          d, hn::ConcatEven(du, hn::BitCast(du, words[2 * v + 1]), hn::BitCast(du, words[2 * v])));
#endif
    }
  }
}

template <int kBlocks>
HWY_INLINE void take_bits(const std::int16_t* bits, Sums<kBlocks>& halves) {
  const SumTag<kBlocks> d;
  const hn::Rebind<std::int16_t, SumTag<kBlocks>> d16;
  for (auto& half : halves) {
    half = hn::Sub(half, hn::PromoteTo(d, hn::LoadU(d16, bits)));
    bits += kSumLanes<kBlocks>;
  }
}

// What becomes of the sums of one group of blocks. Sums come halved, which is exact and saves doubling each:
// the factor 2 goes into the first scale that they meet.
class Finish {
 public:
  Finish(const Problem& p, int first_block, int end_block)
      : epilogue_(p.epilogue),
        output_(p.output),
        first_(first_block * kBlockLanes),
        channels_(std::min(end_block * kBlockLanes, p.shape.out_channels) - first_) {
    // Not the signs' two: their bytes lie in a whole pixel's words, so they count from its first channel.
    for (const float** values :
         {&epilogue_.scale, &epilogue_.bias, &epilogue_.norm_scale, &epilogue_.norm_bias, &epilogue_.slope}) {
      if (*values != nullptr) *values += first_;
    }
    const bool late =
        epilogue_.scale == nullptr && epilogue_.bias == nullptr && epilogue_.norm_scale != nullptr;
    const float*& scale = late ? epilogue_.norm_scale : epilogue_.scale;
    for (int c = 0; c < channels_; ++c) doubled_[c] = scale == nullptr ? 2.0F : 2.0F * scale[c];
    scale = doubled_;
  }
  Finish(const Finish&) = delete;
  Finish& operator=(const Finish&) = delete;

  // Calls make_sums(t, f, halves) for the pixels of an area, kBlocks blocks from channel `channel` of the
  // group on, of which the last may be past the output. odd: sums are 1 more than twice the halves.
  template <int kBlocks, class MakeSums>
  HWY_INLINE void pixels(const Area& area, int channel, bool odd, const MakeSums& make_sums) const {
    for (int t = area.top; t < area.bottom; ++t)
      row<kBlocks>(t, area.left, area.right, channel, odd, make_sums);
  }

 private:
  template <int kBlocks, class MakeSums>
  HWY_INLINE void row(int t, int begin, int end, int channel, bool odd, const MakeSums& make_sums) const {
    const hn::RebindToFloat<SumTag<kBlocks>> d;
    constexpr int kLanes = kSumLanes<kBlocks>;
    constexpr int kCount = kBlocks * kBlockLanes;
    constexpr int kVectors = kCount / kLanes;
    // Local, so that the stores below cannot change it.
    const Parameters parameters(epilogue_);
    const int count = std::min(kCount, channels_ - channel);
    const bool clear = first_ + channel + kCount == output_.channels && output_.channels % kWordBits != 0;
    float* output[1] = {output_.pixel(t, begin) + first_};
    const float* residual[1] = {epilogue_.residual ? epilogue_.residual.pixel(t, begin) + first_ : nullptr};
    const std::ptrdiff_t residual_stride = epilogue_.residual ? epilogue_.residual.pixel_stride : 0;
    std::uint64_t* signs = epilogue_.signs ? epilogue_.signs.pixel(t, begin) : nullptr;
    for (int f = begin; f < end; ++f) {
      Sums<kBlocks> halves;
      make_sums(t, f, halves);
      hn::Vec<decltype(d)> y[1][kVectors];
      for (int v = 0; v < kVectors; ++v) y[0][v] = hn::ConvertTo(d, halves[v]);
      if (odd) {
        for (int v = 0; v < kVectors; ++v) y[0][v] = hn::Add(y[0][v], hn::Set(d, 0.5F));
      }
      if (count == kCount) {
        finish(parameters, d, channel, residual, y, output);
        if (signs != nullptr) {
          for (int v = 0; v < kVectors; ++v)
            y[0][v] = signed_of(parameters, d, y[0][v], first_ + channel + v * kLanes);
          store_signs_of(d, y[0], first_ + channel, signs);
          if (clear) clear_signs_after(output_.channels, signs);
        }
      } else {
        alignas(64) float values[kCount];
        for (int v = 0; v < kVectors; ++v) hn::Store(y[0][v], d, values + std::ptrdiff_t{v} * kLanes);
        const hn::CappedTag<float, 1> d1;
        for (int i = 0; i < count; ++i) {
          hn::Vec<decltype(d1)> one[1][1] = {{hn::Set(d1, values[i])}};
          finish(parameters, d1, channel + i, residual, one, output);
        }
        if (signs != nullptr)
          store_signs(parameters, output[0] - first_, first_ + channel, output_.channels, signs);
      }
      output[0] += output_.pixel_stride;
      residual[0] += residual_stride;
      if (signs != nullptr) signs += epilogue_.signs.pixel_stride;
    }
  }

  Epilogue epilogue_;
  const View<float> output_;
  int first_;
  int channels_;
  alignas(64) float doubled_[kGroupBlocks * kBlockLanes];
};

// Output rows of the blocks [begin, end), a multiple of kBlocks.
template <int kBlocks>
HWY_NOINLINE void convolve_group(const Problem& p, int begin, int end) {
  const int all_taps = p.shape.window.taps();
  const std::ptrdiff_t block_stride = std::ptrdiff_t{all_taps} * words_for(p.shape.in_channels) * kBlockLanes;
  const std::ptrdiff_t tap_stride = std::ptrdiff_t{blocks_for(p.shape.out_channels)} * kBlockLanes;
  const bool ones = p.shape.pad_with_one;
  Patch patch;
  const Gather gather(p);
  const Finish finish(p, begin, end);
  const auto pixels = [&](const Area& area) HWY_ATTR {
    gather.pixel(area.top, area.left, patch);
    // sum = terms - 2 * (differing bits, those of the taps outside included, all of which meet +1 there)
    const int terms = p.shape.in_channels * (ones ? all_taps : patch.taps);
    for (int block = begin; block < end; block += kBlocks) {
      const std::uint64_t* const kernel = p.kernel + block * block_stride;
      const std::int16_t* const tap_bits = ones ? p.tap_bits + std::ptrdiff_t{block} * kBlockLanes : nullptr;
      const auto make_sums = [&](int t, int f, Sums<kBlocks>& halves) HWY_ATTR {
        const std::ptrdiff_t offset =
            (t - area.top) * gather.row_step() + (f - area.left) * gather.column_step();
        WordVector left[kBlocks * kVectorsPerBlock];
        count_down<kBlocks>(terms / 2, patch.runs, offset, kernel, block_stride, left);
        narrow<kBlocks>(left, halves);
        for (int i = 0; i < patch.outside_count; ++i) {
          take_bits<kBlocks>(tap_bits + patch.outside[i] * tap_stride, halves);
        }
      };
      finish.pixels<kBlocks>(area, (block - begin) * kBlockLanes, terms % 2 != 0, make_sums);
    }
  };
  for (int t = p.first_row; t < p.last_row;) {
    Area area{};
    for (int f = 0; f < p.output.frequency; f = area.right) {
      area = gather.area(t, f, p.last_row);
      pixels(area);
    }
    t = area.bottom;
  }
}

template <int kBlocks>
void convolve(const Problem& p, int block) {
  const int blocks = blocks_for(p.shape.out_channels);
  const std::ptrdiff_t block_words =
      std::ptrdiff_t{p.shape.window.taps()} * words_for(p.shape.in_channels) * kBlockLanes;
  const int fitting = static_cast<int>(std::clamp<std::ptrdiff_t>(kGroupWords / block_words / kBlocks, 1,
                                                                  kGroupBlocks / kBlocks)) *
                      kBlocks;
  while (block + kBlocks <= blocks) {
    const int end = std::min(block + fitting, block + (blocks - block) / kBlocks * kBlocks);
    convolve_group<kBlocks>(p, block, end);
    block = end;
  }
  // Two blocks left over are hardly worth code of their own.
  if constexpr (kBlocks > 1) convolve<kBlocks == 8 ? 4 : 1>(p, block);
}

void binary_conv2d(const BinaryConv2dShape& shape, View<const std::uint64_t> input,
                   const std::uint64_t* kernel, const std::int16_t* tap_bits, const Epilogue& epilogue,
                   View<float> output, int first_row, int last_row) noexcept {
  convolve<kTileBlocks>({shape, input, kernel, tap_bits, epilogue, output, first_row, last_row}, 0);
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(binary_conv2d, BinaryConv2d)
}  // namespace bittern::kernels
#endif
