// Sizes of tiles, and where their pixels lie.
#if defined(BITTERN_KERNELS_CONV2D_TILE_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_KERNELS_CONV2D_TILE_INL_H
#undef BITTERN_KERNELS_CONV2D_TILE_INL_H
#else
#define BITTERN_KERNELS_CONV2D_TILE_INL_H
#endif

#include <cstddef>

#include "kernels/lanes-inl.h"
#include "kernels/opaque.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

#if HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX3_DL || HWY_TARGET == HWY_NEON
constexpr bool kManyRegisters = true;  // 32
#else
constexpr bool kManyRegisters = false;  // 16
#endif

// Pixels in a tile of full vectors, and in a smaller one for what is left: rows' lengths are mostly multiples
// of 8, and the smallest maps have 6 pixels. Parts of a vector, which networks hardly have, come by the
// pixel: each tile is code.
template <class D>
constexpr bool kFull = lanes(D()) == lanes(FullTag());
template <int kVectors>
constexpr int kTile = kManyRegisters  ? 16 / kVectors
                      : kVectors == 1 ? 8
                                      : 6;
template <int kVectors>
constexpr int kSmallTile = kVectors == 1    ? kTile<1> / 2
                           : kManyRegisters ? 6
                                            : 4;

// Where a term's inputs lie for pixels that are `step` floats apart, `shift` floats from the term's pointer.
// Every fourth pixel has a register and the others an offset: there are fewer registers than pixels.
template <int kPixels>
class Inputs {
 public:
  HWY_INLINE Inputs(std::ptrdiff_t shift, std::ptrdiff_t step) : step_(step), step3_(3 * step) {
    for (int q = 0; q < kQuads; ++q) shifts_[q] = shift + std::ptrdiff_t{4} * q * step;
    opaque(step3_);
    for (std::ptrdiff_t& quad : shifts_) opaque(quad);
  }
  HWY_INLINE const float* at(const float* term, int p) const {
    const float* const quad = term + shifts_[p / 4];
    return p % 4 == 0 ? quad : p % 4 == 1 ? quad + step_ : p % 4 == 2 ? quad + 2 * step_ : quad + step3_;
  }

 private:
  static constexpr int kQuads = (kPixels + 3) / 4;

  std::ptrdiff_t shifts_[kQuads];
  std::ptrdiff_t step_;
  std::ptrdiff_t step3_;
};

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif  // per target
