#include "popcount_peak.h"

// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "popcount_peak.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "kernels/count_bits-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// The compiler must take `v` for a new value from here on.
HWY_INLINE void renew(WordVector& v) {
#if HWY_TARGET == HWY_SCALAR || HWY_ARCH_WASM || HWY_ARCH_RVV
  asm volatile("" : "+r"(v.raw));
#elif HWY_ARCH_ARM
  asm volatile("" : "+w"(v.raw));
#else
  asm volatile("" : "+x"(v.raw));
#endif
}

std::int64_t peak(std::int64_t steps, std::uint64_t* result) {
  constexpr int kVectors = 8;
  const WordTag d;
  WordVector counts[kVectors];
  for (WordVector& count : counts) count = hn::Zero(d);
  auto activation = hn::Set(d, *result);
  const auto weight = hn::Set(d, *result * 0x0123456789ABCDEFU);
  for (std::int64_t step = 0; step < steps; ++step) {
    for (WordVector& count : counts) {
      renew(activation);
      count = add_counts(count, count_bits(hn::Xor(activation, weight)));
    }
  }
  auto sum = hn::Zero(d);
  for (const WordVector& count : counts) sum = hn::Add(sum, totals(count));
  *result = hn::GetLane(sum);
  return steps * kVectors * kWordLanes * kWordBits;
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
std::int64_t popcount_peak(Isa isa, std::int64_t steps, std::uint64_t* result) {
  using Peak = std::int64_t(std::int64_t, std::uint64_t*);
  return detail::best_of<Peak>(isa, &HWY_STATIC_DISPATCH(peak), HWY_CHOOSE_SSE4(peak), HWY_CHOOSE_AVX2(peak),
                               HWY_CHOOSE_AVX3(peak), HWY_CHOOSE_AVX3_DL(peak))(steps, result);
}
}  // namespace bittern::kernels
#endif
