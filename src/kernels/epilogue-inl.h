// The epilogue's arithmetic on vectors, shared by the convolutions.
#if defined(BITTERN_KERNELS_EPILOGUE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_EPILOGUE_INL_H
#undef BITTERN_KERNELS_EPILOGUE_INL_H
#else
#define BITTERN_KERNELS_EPILOGUE_INL_H
#endif

#include <bit>

#include "core/bits.h"
#include "kernels/epilogue.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

static_assert(std::endian::native == std::endian::little, "sign bits are stored byte by byte");

// An epilogue without its tensors.
struct Parameters {
  const float* scale;
  const float* bias;
  const float* norm_scale;
  const float* norm_bias;
  const float* slope;
  const float* sign_scale;
  const float* sign_bias;
  bool relu;
  bool final_relu;

  explicit Parameters(const Epilogue& e)
      : scale(e.scale),
        bias(e.bias),
        norm_scale(e.norm_scale),
        norm_bias(e.norm_bias),
        slope(e.slope),
        sign_scale(e.sign_scale),
        sign_bias(e.sign_bias),
        relu(e.relu),
        final_relu(e.final_relu) {}
};

// All of the epilogue but `signs`, for kVectors vectors of neighbouring channels from `channel` on, of
// kPixels pixels. residual: a pointer per pixel, all null where there is none.
template <int kPixels, int kVectors, class D, class V>
HWY_INLINE void finish(const Parameters& e, D d, int channel, const float* const (&residual)[kPixels],
                       V (&y)[kPixels][kVectors], float* const (&output)[kPixels]) {
  constexpr int kLanes = lanes(D());
  const auto at = [channel](const float* values, int v)
                      HWY_ATTR { return hn::LoadU(D(), values + channel + std::ptrdiff_t{v} * kLanes); };
  if (e.scale != nullptr) {
    for (int v = 0; v < kVectors; ++v) {
      const auto scale = at(e.scale, v);
      for (int p = 0; p < kPixels; ++p) y[p][v] = hn::Mul(y[p][v], scale);
    }
  }
  if (e.bias != nullptr) {
    for (int v = 0; v < kVectors; ++v) {
      const auto bias = at(e.bias, v);
      for (int p = 0; p < kPixels; ++p) y[p][v] = hn::Add(y[p][v], bias);
    }
  }
  if (e.relu) {
    for (int p = 0; p < kPixels; ++p) {
      for (int v = 0; v < kVectors; ++v) y[p][v] = relu_of(d, y[p][v]);
    }
  }
  if (e.norm_scale != nullptr) {
    for (int v = 0; v < kVectors; ++v) {
      const auto scale = at(e.norm_scale, v);
      const auto bias = at(e.norm_bias, v);
      for (int p = 0; p < kPixels; ++p) y[p][v] = hn::Add(hn::Mul(y[p][v], scale), bias);
    }
  }
  if (residual[0] != nullptr) {
    for (int p = 0; p < kPixels; ++p) {
      for (int v = 0; v < kVectors; ++v) y[p][v] = hn::Add(at(residual[p], v), y[p][v]);
    }
  }
  if (e.final_relu) {
    for (int p = 0; p < kPixels; ++p) {
      for (int v = 0; v < kVectors; ++v) y[p][v] = relu_of(d, y[p][v]);
    }
  }
  if (e.slope != nullptr) {
    for (int v = 0; v < kVectors; ++v) {
      const auto slope = at(e.slope, v);
      for (int p = 0; p < kPixels; ++p) y[p][v] = prelu_of(d, y[p][v], slope);
    }
  }
  for (int p = 0; p < kPixels; ++p) {
    for (int v = 0; v < kVectors; ++v)
      hn::StoreU(y[p][v], d, output[p] + channel + std::ptrdiff_t{v} * kLanes);
  }
}

// The sign bits of a pixel's channels [channel, channel + kVectors * lanes), whole blocks of 8.
template <int kVectors, class D, class V>
HWY_INLINE void store_signs_of(D d, const V (&y)[kVectors], int channel, std::uint64_t* words) {
  constexpr int kLanes = lanes(D());
  auto* bytes = reinterpret_cast<std::uint8_t*>(words) + channel / kBlockLanes;
  if constexpr (kLanes >= kBlockLanes) {
    for (int v = 0; v < kVectors; ++v) {
      hn::StoreMaskBits(d, hn::Lt(y[v], hn::Zero(d)), bytes + std::ptrdiff_t{v} * (kLanes / kBlockLanes));
    }
  } else {
    for (int v = 0; v < kVectors; v += kBlockLanes / kLanes) {
      std::uint64_t bits = 0;
      for (int lane = 0; lane < kBlockLanes; lane += kLanes)
        bits |= sign_bits(d, y[v + lane / kLanes]) << lane;
      *bytes++ = static_cast<std::uint8_t>(bits);
    }
  }
}

// The bits of a pixel's last word past its last channel, from the next whole byte on.
HWY_INLINE void clear_signs_after(int channels, std::uint64_t* words) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(words);
  for (int c = blocks_for(channels); c < words_for(channels) * (kWordBits / kBlockLanes); ++c) bytes[c] = 0;
}

// What the signs are of, of channel `c` on.
template <class D, class V>
HWY_INLINE V signed_of(const Parameters& e, D d, V y, int c) {
  if (e.sign_scale == nullptr) return y;
  return hn::Add(hn::Mul(y, hn::LoadU(d, e.sign_scale + c)), hn::LoadU(d, e.sign_bias + c));
}

// The sign bits of a pixel's channels from `begin` on, a multiple of 8, to the last; those past it are
// cleared.
HWY_INLINE void store_signs(const Parameters& e, const float* pixel, int begin, int channels,
                            std::uint64_t* words) {
  const BlockTag d;
  auto* bytes = reinterpret_cast<std::uint8_t*>(words);
  int c = begin;
  for (; c + kBlockLanes <= channels; c += kBlockLanes) {
    hn::Vec<BlockTag> y[kBlockLanes / lanes(BlockTag())];
    for (int lane = 0; lane < kBlockLanes; lane += lanes(d))
      y[lane / lanes(d)] = signed_of(e, d, hn::LoadU(d, pixel + c + lane), c + lane);
    store_signs_of(d, y, c, words);
  }
  if (c < channels) {
    const hn::CappedTag<float, 1> d1;
    std::uint64_t bits = 0;
    for (int lane = 0; c + lane < channels; ++lane)
      bits |= sign_bits(d1, signed_of(e, d1, hn::LoadU(d1, pixel + c + lane), c + lane)) << lane;
    bytes[c / kBlockLanes] = static_cast<std::uint8_t>(bits);
  }
  clear_signs_after(channels, words);
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
