// clang-format off: the order of these is Highway's rule
// Vectors whose size is known when compiling (no SVE, no RVV); nothing here gains from SSE4 over SSSE3, nor
// from AVX3_DL over AVX3.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS \
  (HWY_SVE2_128 | HWY_SVE_256 | HWY_SVE2 | HWY_SVE | HWY_RVV | HWY_SSE4 | HWY_AVX3_DL)
#endif
// Instruction sets are chosen at run time on x86-64 only.
#if !defined(__x86_64__) && !defined(HWY_COMPILE_ONLY_STATIC) && !defined(HWY_COMPILE_ONLY_SCALAR)
#define HWY_COMPILE_ONLY_STATIC
#endif
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "features/block.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

#include <algorithm>
#include <bit>
#include <cstdint>

#include "core/math.h"
#include "features/block.h"
#include "features/fft-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::features::HWY_NAMESPACE {
namespace {

void sanitize(const float* samples, std::size_t count, float* output) noexcept {
  const D d;
  const auto one = [](auto lanes, const float* from, float* to) HWY_ATTR {
    const auto x = hn::LoadU(lanes, from);
    const auto audible = hn::IfThenElseZero(hn::Ge(hn::Abs(x), hn::Set(lanes, kLeastSample)), x);
    const auto most = hn::Set(lanes, kMostSample);
    hn::StoreU(hn::Max(hn::Min(audible, most), hn::Neg(most)), lanes, to);
  };
  std::size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) one(d, samples + i, output + i);
  for (; i < count; ++i) one(hn::CappedTag<float, 1>(), samples + i, output + i);
}

#if HWY_TARGET != HWY_SCALAR
// 4 x 4 within each 128-bit block: lane k of r[i]'s block b becomes lane i of r[k]'s block b.
HWY_INLINE void transpose_blocks(V (&r)[4]) {
  static_assert(kLanes % 4 == 0);
  const D d;
  const hn::RepartitionToWide<hn::RebindToUnsigned<D>> pairs;
  const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r[0], r[1]));
  const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r[2], r[3]));
  const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r[0], r[1]));
  const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r[2], r[3]));
  r[0] = hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23));
  r[1] = hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23));
  r[2] = hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23));
  r[3] = hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23));
}

// Four floats of each of the frames `frame`, `frame` + 4, ..., one 128-bit block per frame, `step` floats
// apart.
template <class Row>
HWY_INLINE hn::Vec<Row> load_row(Row row, const float* from, std::size_t step, std::size_t frame) {
  constexpr std::size_t kCount = hn::MaxLanes(Row());
  if constexpr (kCount <= 4) {
    return hn::LoadU(row, from + frame * step);
  } else {
    const hn::Half<Row> half;
    return hn::Combine(row, load_row(half, from, step, frame + kCount / 2),
                       load_row(half, from, step, frame));
  }
}

// The reverse, for those of the frames that are below `frames`.
template <class Row>
HWY_INLINE void store_row(Row row, hn::Vec<Row> v, float* to, std::size_t step, std::size_t frame,
                          std::size_t frames) {
  constexpr std::size_t kCount = hn::MaxLanes(Row());
  if constexpr (kCount <= 4) {
    if (frame < frames) hn::StoreU(v, row, to + frame * step);
  } else {
    const hn::Half<Row> half;
    store_row(half, hn::LowerHalf(half, v), to, step, frame, frames);
    store_row(half, hn::UpperHalf(half, v), to, step, frame + kCount / 2, frames);
  }
}
#endif

// Four samples of every lane's frame, `samples` being those of the first: v[k] = samples[lane hop + k].
HWY_INLINE void load_transposed(const float* samples, std::size_t hop, V (&v)[4]) {
  const D d;
#if HWY_TARGET == HWY_SCALAR
  (void)hop;
  for (std::size_t k = 0; k < 4; ++k) v[k] = hn::LoadU(d, samples + k);
#else
  for (std::size_t r = 0; r < 4; ++r) v[r] = load_row(d, samples, hop, r);
  transpose_blocks(v);
#endif
}

void apply_window(const Tables& tables, const float* samples, float* HWY_RESTRICT real) {
  const D d;
  for (std::size_t i = 0; i < tables.window.size(); i += 4) {
    V v[4];
    load_transposed(samples + i, tables.hop, v);
    for (std::size_t k = 0; k < 4; ++k) {
      hn::Store(hn::Mul(v[k], hn::Set(d, tables.window[i + k])), d, real + (i + k) * kLanes);
    }
  }
}

// Each filter is its rising sum, bins upwards from the first, plus its falling sum.
void sum_filters(const Tables& tables, const float* HWY_RESTRICT magnitudes, float* HWY_RESTRICT energies) {
  const D d;
  const float* weight = tables.weights.data();
  V previous_rising = hn::Zero(d);
  for (std::size_t s = 0; s <= tables.mel_bins; ++s) {
    V rising = hn::Zero(d);
    V falling = hn::Zero(d);
    const auto end = static_cast<std::size_t>(tables.first_bin[s + 1]);
    for (auto bin = static_cast<std::size_t>(tables.first_bin[s]); bin < end; ++bin, weight += 2) {
      const V magnitude = hn::Load(d, magnitudes + bin * kLanes);
      rising = hn::Add(rising, hn::Mul(magnitude, hn::Set(d, weight[0])));
      falling = hn::Add(falling, hn::Mul(magnitude, hn::Set(d, weight[1])));
    }
    if (s > 0) hn::Store(hn::Add(previous_rising, falling), d, energies + (s - 1) * kLanes);
    previous_rising = rising;
  }
}

void energies(const Tables& tables, const float* samples, float* work, float* sums) noexcept {
  float* real = work;
  float* points = real + tables.fft_size * kLanes;
  float* magnitudes = points + tables.fft_size / 2 * kLanes;
  apply_window(tables, samples, real);
  real_fft_magnitudes(tables, real, points, magnitudes);
  sum_filters(tables, magnitudes, sums);
}

// math::log, lane by lane, of positive normal numbers.
HWY_INLINE V log_of_normal(V x) {
  using C = math::LogConstants;
  const D d;
  const hn::RebindToSigned<D> di;
  const auto bits = hn::BitCast(di, x);
  const auto exponent = hn::ShiftRight<23>(hn::Sub(bits, hn::Set(di, C::kSqrtHalfBits)));
  const V f = hn::Sub(hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<23>(exponent))), hn::Set(d, 1.0F));
  const V e = hn::ConvertTo(d, exponent);
  const V z = hn::Mul(f, f);
  V p = hn::Set(d, C::kPolynomial[0]);
  for (int i = 1; i < 9; ++i) p = hn::Add(hn::Mul(p, f), hn::Set(d, C::kPolynomial[i]));
  V y = hn::Mul(hn::Mul(p, f), z);
  y = hn::Add(y, hn::Mul(e, hn::Set(d, C::kLn2Low)));
  y = hn::Sub(y, hn::Mul(z, hn::Set(d, 0.5F)));
  return hn::Add(hn::Add(f, y), hn::Mul(e, hn::Set(d, C::kLn2High)));
}

void logarithms(const Tables& tables, float* energies) noexcept {
  const D d;
  const V offset = hn::Set(d, tables.offset);
  const float* normalize = tables.normalize.data();
  const bool normalized = tables.normalize.size() != 0;
  for (std::size_t j = 0; j < tables.mel_bins; ++j) {
    float* lanes = energies + j * kLanes;
    V y = log_of_normal(hn::Add(hn::Load(d, lanes), offset));
    if (normalized) {
      y = hn::Add(hn::Mul(y, hn::Set(d, normalize[2 * j])), hn::Set(d, normalize[2 * j + 1]));
    }
    hn::Store(y, d, lanes);
  }
}

void store_rows(const Tables& tables, const float* energies, std::size_t frames, float* output) noexcept {
  std::size_t j = 0;
#if HWY_TARGET != HWY_SCALAR
  const D d;
  for (; j + 4 <= tables.mel_bins; j += 4) {
    V r[4];
    for (std::size_t k = 0; k < 4; ++k) r[k] = hn::Load(d, energies + (j + k) * kLanes);
    transpose_blocks(r);
    for (std::size_t k = 0; k < 4; ++k) store_row(d, r[k], output + j, tables.mel_bins, k, frames);
  }
#endif
  for (; j < tables.mel_bins; ++j) {
    for (std::size_t l = 0; l < frames; ++l) output[l * tables.mel_bins + j] = energies[j * kLanes + l];
  }
}

constexpr BlockFunctions kFunctions{kLanes, sanitize, energies, logarithms, store_rows};

}  // namespace

const BlockFunctions& functions() noexcept { return kFunctions; }

}  // namespace bittern::features::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::features {

const BlockFunctions& block_functions(Isa isa) noexcept {
  switch (isa) {
#if HWY_TARGETS & HWY_AVX3
    case Isa::kAvx512Dl:
    case Isa::kAvx512:
      return N_AVX3::functions();
#endif
#if HWY_TARGETS & HWY_AVX2
    case Isa::kAvx2:
      return N_AVX2::functions();
#endif
#if HWY_TARGETS & HWY_SSE4
    case Isa::kSse4:
      return N_SSE4::functions();
#endif
    default:
      return HWY_STATIC_DISPATCH(functions)();
  }
}

}  // namespace bittern::features
#endif
