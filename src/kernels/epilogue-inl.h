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

// All of the epilogue but `signs`, for kVectors vectors of neighbouring channels from `channel` on, of
// kPixels pixels. residual: a pointer per pixel, all null where there is none.
template <int kPixels, int kVectors, class D, class V>
HWY_INLINE void finish(const Epilogue& e, D d, int channel, const float* const (&residual)[kPixels],
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
  for (int p = 0; p < kPixels; ++p) {
    for (int v = 0; v < kVectors; ++v)
      hn::StoreU(y[p][v], d, output[p] + channel + std::ptrdiff_t{v} * kLanes);
  }
}

// Writes the sign bits of channels [begin, end) of one pixel; `begin` is a multiple of 8, and `end` too
// unless it is the last channel. After the last channel the rest of its word is cleared.
HWY_INLINE void store_signs(const float* pixel, int begin, int end, int channels, std::uint64_t* words) {
  auto* bytes = reinterpret_cast<std::uint8_t*>(words);
  int c = begin;
  for (; c + kBlockLanes <= end; c += kBlockLanes) {
    const BlockTag d;
    std::uint64_t bits = 0;
    for (int lane = 0; lane < kBlockLanes; lane += lanes(d)) {
      bits |= sign_bits(d, hn::LoadU(d, pixel + c + lane)) << lane;
    }
    bytes[c / kBlockLanes] = static_cast<std::uint8_t>(bits);
  }
  if (end < channels) return;
  if (c < end) {
    std::uint64_t bits = 0;
    for (int lane = 0; c + lane < end; ++lane) bits |= sign_bit(pixel[c + lane]) << lane;
    bytes[c / kBlockLanes] = static_cast<std::uint8_t>(bits);
    c += kBlockLanes;
  }
  for (; c < words_for(channels) * kWordBits; c += kBlockLanes) bytes[c / kBlockLanes] = 0;
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
