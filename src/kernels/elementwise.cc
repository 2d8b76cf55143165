// Lanes over channels, one pixel at a time.
// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/elementwise.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// body(d, input, output, c) for every vector of every pixel.
template <class Body>
HWY_INLINE void for_pixels(View<const float> input, View<float> output, int first_row, int last_row,
                           const Body& body) {
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < input.frequency; ++f) {
      const float* from = input.pixel(t, f);
      float* to = output.pixel(t, f);
      for_channels(FullTag(), 0, input.channels, [&](auto d, int c) HWY_ATTR { body(d, from, to, c); });
    }
  }
}

void relu(View<const float> input, View<float> output, int first_row, int last_row) noexcept {
  for_pixels(input, output, first_row, last_row, [](auto d, const float* from, float* to, int c) HWY_ATTR {
    hn::StoreU(relu_of(d, hn::LoadU(d, from + c)), d, to + c);
  });
}

void prelu(View<const float> input, const float* slope, View<float> output, int first_row,
           int last_row) noexcept {
  for_pixels(input, output, first_row, last_row, [=](auto d, const float* from, float* to, int c) HWY_ATTR {
    hn::StoreU(prelu_of(d, hn::LoadU(d, from + c), hn::LoadU(d, slope + c)), d, to + c);
  });
}

void affine(View<const float> input, const float* scale, const float* bias, View<float> output, int first_row,
            int last_row) noexcept {
  for_pixels(input, output, first_row, last_row, [=](auto d, const float* from, float* to, int c) HWY_ATTR {
    const auto product = hn::Mul(hn::LoadU(d, from + c), hn::LoadU(d, scale + c));
    hn::StoreU(hn::Add(product, hn::LoadU(d, bias + c)), d, to + c);
  });
}

void add(View<const float> a, View<const float> b, View<float> output, int first_row, int last_row) noexcept {
  const int alone = a.channels - b.channels;  // first channels, which b does not have
  for (int t = first_row; t < last_row; ++t) {
    for (int f = 0; f < a.frequency; ++f) {
      const float* from = a.pixel(t, f);
      const float* other = b.pixel(t, f);
      float* to = output.pixel(t, f);
      if (from != to) {
        for_channels(FullTag(), 0, alone,
                     [&](auto d, int c) HWY_ATTR { hn::StoreU(hn::LoadU(d, from + c), d, to + c); });
      }
      for_channels(FullTag(), 0, b.channels, [&](auto d, int c) HWY_ATTR {
        hn::StoreU(hn::Add(hn::LoadU(d, from + alone + c), hn::LoadU(d, other + c)), d, to + alone + c);
      });
    }
  }
}

void copy(View<const float> input, View<float> output, int first_row, int last_row) noexcept {
  for_pixels(input, output, first_row, last_row, [](auto d, const float* from, float* to, int c) HWY_ATTR {
    hn::StoreU(hn::LoadU(d, from + c), d, to + c);
  });
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
BITTERN_EXPORT_KERNEL(relu, Relu)
BITTERN_EXPORT_KERNEL(prelu, Prelu)
BITTERN_EXPORT_KERNEL(affine, Affine)
BITTERN_EXPORT_KERNEL(add, Add)
BITTERN_EXPORT_KERNEL(copy, Copy)
}  // namespace bittern::kernels
#endif
