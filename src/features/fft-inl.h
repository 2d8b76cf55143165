// The FFT of tables.h over frames in lanes: point i of all frames is one vector (real) or two in a row
// (complex). Included once per instruction set.
#if defined(BITTERN_FEATURES_FFT_INL_H) == defined(HWY_TARGET_TOGGLE)
#ifdef BITTERN_FEATURES_FFT_INL_H
#undef BITTERN_FEATURES_FFT_INL_H
#else
#define BITTERN_FEATURES_FFT_INL_H
#endif

#include <bit>
#include <cstddef>
#include <cstdint>

#include "features/tables.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::features::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr std::size_t kLanes = HWY_MIN(HWY_LANES(float), 16);

struct Complex {
  V re, im;
};

HWY_INLINE Complex operator+(Complex a, Complex b) { return {hn::Add(a.re, b.re), hn::Add(a.im, b.im)}; }
HWY_INLINE Complex operator-(Complex a, Complex b) { return {hn::Sub(a.re, b.re), hn::Sub(a.im, b.im)}; }
// a - i b and a + i b
HWY_INLINE Complex minus_i(Complex a, Complex b) { return {hn::Add(a.re, b.im), hn::Sub(a.im, b.re)}; }
HWY_INLINE Complex plus_i(Complex a, Complex b) { return {hn::Sub(a.re, b.im), hn::Add(a.im, b.re)}; }

// a times the broadcast pair w.
HWY_INLINE Complex turned(Complex a, const float* w) {
  const D d;
  const V re = hn::Set(d, w[0]);
  const V im = hn::Set(d, w[1]);
  return {hn::Sub(hn::Mul(a.re, re), hn::Mul(a.im, im)), hn::Add(hn::Mul(a.re, im), hn::Mul(a.im, re))};
}

// In place, outputs in natural order.
HWY_INLINE void dft4(Complex& a0, Complex& a1, Complex& a2, Complex& a3) {
  const Complex s02 = a0 + a2, d02 = a0 - a2;
  const Complex s13 = a1 + a3, d13 = a1 - a3;
  a0 = s02 + s13;
  a1 = minus_i(d02, d13);
  a2 = s02 - s13;
  a3 = plus_i(d02, d13);
}

template <std::size_t kRadix>
HWY_INLINE void dft(Complex (&a)[kRadix]) {
  if constexpr (kRadix == 2) {
    const Complex sum = a[0] + a[1];
    a[1] = a[0] - a[1];
    a[0] = sum;
  } else if constexpr (kRadix == 4) {
    dft4(a[0], a[1], a[2], a[3]);
  } else if constexpr (kRadix == 8) {
    const D d;
    const V root_half = hn::Set(d, 0.70710678118654752440F);
    Complex e0 = a[0], e1 = a[2], e2 = a[4], e3 = a[6];
    Complex o0 = a[1], o1 = a[3], o2 = a[5], o3 = a[7];
    dft4(e0, e1, e2, e3);
    dft4(o0, o1, o2, o3);
    // The odd half's outputs times w_8^p: w_8 = (1 - i) / sqrt 2, w_8^2 = -i, w_8^3 = -(1 + i) / sqrt 2.
    const Complex t1{hn::Mul(hn::Add(o1.re, o1.im), root_half), hn::Mul(hn::Sub(o1.im, o1.re), root_half)};
    const Complex t3{hn::Mul(hn::Sub(o3.im, o3.re), root_half), hn::Mul(hn::Add(o3.re, o3.im), root_half)};
    a[0] = e0 + o0;
    a[4] = e0 - o0;
    a[1] = e1 + t1;
    a[5] = e1 - t1;
    a[2] = minus_i(e2, o2);
    a[6] = plus_i(e2, o2);
    a[3] = {hn::Add(e3.re, t3.re), hn::Sub(e3.im, t3.im)};
    a[7] = {hn::Sub(e3.re, t3.re), hn::Add(e3.im, t3.im)};
  }
}

// A level's input: complex point i out of 4 real ones. Leaves the next level's real points behind.
// kTerms is 2 where the upper half of the real points is zero.
template <int kTerms>
struct FromReal {
  float* real;
  std::size_t quarter;  // real points / 4
  const float* turns;
  std::size_t turn_step;

  HWY_INLINE Complex operator()(std::size_t i) const {
    const D d;
    float* at = real + i * kLanes;
    const std::size_t step = quarter * kLanes;
    const V t0 = hn::Load(d, at);
    const V t1 = hn::Load(d, at + step);
    const float* w = turns + 2 * i * turn_step;
    if constexpr (kTerms == 2) {
      return turned({t0, hn::Neg(t1)}, w);
    } else {
      const V t2 = hn::Load(d, at + 2 * step);
      const V t3 = hn::Load(d, at + 3 * step);
      hn::Store(hn::Add(t0, t2), d, at);
      hn::Store(hn::Add(t1, t3), d, at + step);
      return turned({hn::Sub(t0, t2), hn::Sub(t3, t1)}, w);
    }
  }
};

struct FromPoints {
  const float* points;
  HWY_INLINE Complex operator()(std::size_t i) const {
    const D d;
    return {hn::Load(d, points + 2 * i * kLanes), hn::Load(d, points + (2 * i + 1) * kLanes)};
  }
};

// A pass that is not the last: output p of butterfly j goes to point j + p stride, turned.
template <std::size_t kRadix>
struct ToPoints {
  float* points;
  std::size_t stride;
  const float* twiddles;
  HWY_INLINE void operator()(std::size_t j, const Complex (&a)[kRadix]) const {
    const D d;
    const float* w = twiddles + 2 * j * (kRadix - 1);
    for (std::size_t p = 0; p < kRadix; ++p) {
      const Complex y = p == 0 ? a[p] : turned(a[p], w + 2 * (p - 1));
      float* at = points + 2 * (j + p * stride) * kLanes;
      hn::Store(y.re, d, at);
      hn::Store(y.im, d, at + kLanes);
    }
  }
};

template <std::size_t kRadix>
struct ToMagnitudes {
  float* magnitudes;
  const std::uint16_t* bins;
  HWY_INLINE void operator()(std::size_t /*j*/, const Complex (&a)[kRadix]) const {
    const D d;
    for (std::size_t p = 0; p < kRadix; ++p) {
      const V power = hn::Add(hn::Mul(a[p].re, a[p].re), hn::Mul(a[p].im, a[p].im));
      hn::Store(hn::Sqrt(power), d, magnitudes + bins[p] * kLanes);
    }
  }
};

template <std::size_t kRadix, class From, class To>
HWY_INLINE void pass(std::size_t stride, From from, To to) {
  for (std::size_t j = 0; j < stride; ++j) {
    Complex a[kRadix];
    for (std::size_t q = 0; q < kRadix; ++q) a[q] = from(j + q * stride);
    dft(a);
    to(j, a);
  }
}

// The complex FFT of 2^log2_points points that `from` reads; working points at `points`, magnitudes by
// `bins`.
template <class From>
void fft_magnitudes(const Tables& tables, int log2_points, From from, float* points,
                    const std::uint16_t* bins, float* magnitudes);

template <std::size_t kRadix, class From>
HWY_INLINE void first_pass(const Tables& tables, int log2_points, From from, float* points,
                           const std::uint16_t* bins, float* magnitudes) {
  constexpr int kLog2Radix = std::countr_zero(kRadix);
  if (log2_points == kLog2Radix) {
    pass<kRadix>(1, from, ToMagnitudes<kRadix>{magnitudes, bins});
    return;
  }
  if constexpr (kRadix >= 4) {
    const int log2_rest = log2_points - kLog2Radix;
    const std::size_t stride = std::size_t{1} << log2_rest;
    const float* twiddles =
        tables.twiddles.data() + tables.twiddle_offset[static_cast<std::size_t>(log2_points)];
    pass<kRadix>(stride, from, ToPoints<kRadix>{points, stride, twiddles});
    for (std::size_t p = 0; p < kRadix; ++p) {
      float* part = points + 2 * p * stride * kLanes;
      fft_magnitudes(tables, log2_rest, FromPoints{part}, part, bins + p * stride, magnitudes);
    }
  }
}

template <class From>
void fft_magnitudes(const Tables& tables, int log2_points, From from, float* points,
                    const std::uint16_t* bins, float* magnitudes) {
  switch (radix_log2(log2_points)) {
    case 0:
      return first_pass<1>(tables, log2_points, from, points, bins, magnitudes);
    case 1:
      return first_pass<2>(tables, log2_points, from, points, bins, magnitudes);
    case 2:
      return first_pass<4>(tables, log2_points, from, points, bins, magnitudes);
    default:
      return first_pass<8>(tables, log2_points, from, points, bins, magnitudes);
  }
}

// real: [fft_size][lanes], zeros past the frame; overwritten up to the frame's length. points: [fft_size /
// 4][2] [lanes]. magnitudes: [fft_size / 2][lanes], all but bin 0.
HWY_INLINE void real_fft_magnitudes(const Tables& tables, float* real, float* points, float* magnitudes) {
  const std::uint16_t* bins = tables.bins.data();
  for (std::size_t n = tables.fft_size; n >= 4; n /= 2) {
    const int log2_points = std::countr_zero(n / 4);
    const std::size_t turn_step = tables.fft_size / n;
    const float* turns = tables.turns.data();
    if (tables.frame_length <= n / 2) {
      fft_magnitudes(tables, log2_points, FromReal<2>{real, n / 4, turns, turn_step}, points, bins,
                     magnitudes);
    } else {
      fft_magnitudes(tables, log2_points, FromReal<4>{real, n / 4, turns, turn_step}, points, bins,
                     magnitudes);
    }
    bins += n / 4;
  }
}

}  // namespace
}  // namespace bittern::features::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
