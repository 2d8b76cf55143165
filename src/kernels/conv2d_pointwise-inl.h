// A 1 x 1 convolution of pixels without gaps: a product of matrices, [pixels, inputs] by [inputs, outputs].
// Outputs stand outermost, so that weights come once from wherever they are. A tile is 4 pixels by 4 vectors
// with 32 registers, by 2 with 16: enough sums to hide an addition's latency. More pixels would be no gain:
// to spread an input over 16 lanes costs as much as a product.
#if defined(BITTERN_KERNELS_CONV2D_POINTWISE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_CONV2D_POINTWISE_INL_H
#undef BITTERN_KERNELS_CONV2D_POINTWISE_INL_H
#else
#define BITTERN_KERNELS_CONV2D_POINTWISE_INL_H
#endif

#include <cstddef>
#include <cstdint>

#include "kernels/conv2d_lines-inl.h"
#include "kernels/conv2d_tile-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// Rows [first, last) lie behind each other, no gaps between their pixels.
template <class T>
bool is_gapless(const View<T>& view, int first, int last) {
  if (last - first == 1) return true;
  return view.row_stride == view.frequency * view.pixel_stride &&
         (view.ring == 0 || (view.first + first) % view.ring + (last - first) <= view.ring);
}

// A 1 x 1 kernel that reads all pixels as they come.
bool is_pointwise(const Problem& p) {
  const Window& w = p.shape.window;
  const auto gapless = [&](const auto& view) { return is_gapless(view, p.first_row, p.last_row); };
  return w.taps() == 1 && p.shape.groups == 1 && w.stride_time == 1 && w.stride_frequency == 1 &&
         w.pad_time == 0 && w.pad_frequency == 0 && p.last_row <= p.input.time &&
         p.input.frequency == p.output.frequency && gapless(p.input) && gapless(p.output) &&
         (!p.epilogue.residual || gapless(p.epilogue.residual)) &&
         (!p.epilogue.signs || gapless(p.epilogue.signs));
}

class Pointwise {
 public:
  explicit Pointwise(const Problem& p)
      : parameters_(p.epilogue),
        kernel_(p.kernel),
        inputs_(p.shape.in_channels),
        outputs_(p.shape.out_channels),
        pixels_((p.last_row - p.first_row) * p.output.frequency),
        input_(p.input.row(p.first_row)),
        output_(p.output.row(p.first_row)),
        residual_(p.epilogue.residual ? p.epilogue.residual.row(p.first_row) : nullptr),
        signs_(writes_signs(p) ? p.epilogue.signs.row(p.first_row) : nullptr),
        input_stride_(p.input.pixel_stride),
        output_stride_(p.output.pixel_stride),
        residual_stride_(p.epilogue.residual.pixel_stride),
        signs_stride_(p.epilogue.signs.pixel_stride) {}

  // Whether the signs are written along: all outputs fill tiles, and these whole bytes.
  static bool writes_signs(const Problem& p) {
    constexpr int kOutputs = kMostVectors * lanes(FullTag());
    return p.epilogue.signs && kOutputs >= kBlockLanes && p.shape.out_channels % kOutputs == 0;
  }

  HWY_NOINLINE void run() const {
    const FullTag d;
    int c = 0;
    for (; c + kMostVectors * lanes(d) <= outputs_; c += kMostVectors * lanes(d)) columns<kMostVectors>(d, c);
    for_channels(d, c, outputs_, [&](auto part, int o) HWY_ATTR { columns<1>(part, o); });
  }

 private:
  static constexpr int kMostVectors = kManyRegisters ? 4 : 2;

  template <int kVectors, class D>
  HWY_INLINE void columns(D d, int c) const {
    int f = 0;
    if constexpr (kFull<D>) {
      for (; f + 4 <= pixels_; f += 4) tile<4, kVectors>(d, c, f);
      if constexpr (kVectors > 1) {
        for (; f + 2 <= pixels_; f += 2) tile<2, kVectors>(d, c, f);
      }
    }
    for (; f < pixels_; ++f) tile<1, kVectors>(d, c, f);
  }

  template <int kPixels, int kVectors, class D>
  HWY_INLINE void tile(D d, int c, int f) const {
    hn::Vec<D> sums[kPixels][kVectors];
    for (auto& pixel : sums) {
      for (auto& sum : pixel) sum = hn::Zero(d);
    }
    const Inputs<kPixels> places(f * input_stride_, input_stride_);
    const std::ptrdiff_t outputs = outputs_;
    const float* w = kernel_ + c;
    const float* x = input_;
    for (const float* const end = x + inputs_; x != end; ++x, w += outputs) {
      hn::Vec<D> weights[kVectors];
      for (int v = 0; v < kVectors; ++v) weights[v] = hn::LoadU(d, w + v * lanes(d));
      for (int p = 0; p < kPixels; ++p) {
        const float* in = places.at(x, p);
        for (int v = 0; v < kVectors; ++v)
          sums[p][v] = hn::Add(sums[p][v], hn::Mul(spread(d, in), weights[v]));
      }
    }
    store(d, c, f, sums);
  }

  template <int kPixels, int kVectors, class D, class V>
  HWY_INLINE void store(D d, int c, int f, V (&sums)[kPixels][kVectors]) const {
    float* output[kPixels];
    const float* residual[kPixels] = {};
    for (int p = 0; p < kPixels; ++p) output[p] = output_ + (f + p) * output_stride_;
    if (residual_ != nullptr) {
      for (int p = 0; p < kPixels; ++p) residual[p] = residual_ + (f + p) * residual_stride_;
    }
    finish(parameters_, d, c, residual, sums, output);
    if constexpr (kVectors * lanes(D()) >= kBlockLanes) {
      if (signs_ == nullptr) return;
      for (int p = 0; p < kPixels; ++p) {
        for (int v = 0; v < kVectors; ++v)
          sums[p][v] = signed_of(parameters_, d, sums[p][v], c + v * lanes(d));
        std::uint64_t* const words = signs_ + (f + p) * signs_stride_;
        store_signs_of(d, sums[p], c, words);
        if (c + kVectors * lanes(d) == outputs_) clear_signs_after(outputs_, words);
      }
    }
  }

  const Parameters parameters_;
  const float* const kernel_;
  const int inputs_;
  const int outputs_;
  const int pixels_;
  // Of the first pixel, and from one to the next.
  const float* const input_;
  float* const output_;
  const float* const residual_;
  std::uint64_t* const signs_;
  const std::ptrdiff_t input_stride_;
  const std::ptrdiff_t output_stride_;
  const std::ptrdiff_t residual_stride_;
  const std::ptrdiff_t signs_stride_;
};

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
