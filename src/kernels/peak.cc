#include "kernels/peak.h"

// clang-format off: the order of these is Highway's rule
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak.cc"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "kernels/targets.h"
// clang-format on

#include "kernels/count_bits-inl.h"
#include "kernels/lanes-inl.h"

HWY_BEFORE_NAMESPACE();
namespace bittern::kernels::HWY_NAMESPACE {
namespace {

// The compiler must take `v` for a new value from here on.
template <class V>
HWY_INLINE void renew(V& v) {
#if HWY_ARCH_X86 && HWY_TARGET != HWY_SCALAR && HWY_TARGET != HWY_EMU128
  asm volatile("" : "+x"(v.raw));
#elif HWY_TARGET == HWY_NEON
  asm volatile("" : "+w"(v.raw));
#else
  asm volatile("" : "+m"(v));
#endif
}

std::int64_t bits(std::int64_t steps, std::uint64_t* state) {
  constexpr int kVectors = 8;
  const WordTag d;
  Counts counts[kVectors];
  for (Counts& count : counts) count = hn::Zero(CountTag());
  auto activation = hn::Set(d, *state);
  const auto weight = hn::Set(d, *state * 0x0123456789ABCDEFU);
  for (std::int64_t step = 0; step < steps; ++step) {
    for (Counts& count : counts) {
      renew(activation);
      count = hn::Add(count, count_bits(hn::Xor(activation, weight)));
    }
  }
  auto sum = hn::Zero(d);
  for (const Counts& count : counts) sum = hn::Add(sum, totals(count));
  *state = hn::GetLane(sum);
  return steps * kVectors * kWordLanes * kWordBits;
}

std::int64_t floats(std::int64_t steps, std::uint64_t* state) {
  constexpr int kVectors = 12;  // of sums: enough to hide the latency of two additions a cycle
  const FullTag d;
  hn::Vec<FullTag> sums[kVectors];
  for (auto& sum : sums) sum = hn::Zero(d);
  auto input = hn::Set(d, static_cast<float>(*state % 1000));
  const auto weight = hn::Set(d, 1e-3F);
  for (std::int64_t step = 0; step < steps; ++step) {
    for (auto& sum : sums) {
      renew(input);
      sum = hn::Add(sum, hn::Mul(input, weight));
    }
  }
  auto total = hn::Zero(d);
  for (const auto& sum : sums) total = hn::Add(total, sum);
  *state = static_cast<std::uint64_t>(hn::GetLane(total));
  return steps * kVectors * lanes(d);
}

}  // namespace
}  // namespace bittern::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace bittern::kernels {
namespace {
using Peak = std::int64_t(std::int64_t, std::uint64_t*);
}  // namespace

std::int64_t popcount_peak(Isa isa, std::int64_t steps, std::uint64_t* state) {
  return detail::best_of<Peak>(isa, &HWY_STATIC_DISPATCH(bits), HWY_CHOOSE_SSE4(bits), HWY_CHOOSE_AVX2(bits),
                               HWY_CHOOSE_AVX3(bits), HWY_CHOOSE_AVX3_DL(bits))(steps, state);
}

std::int64_t float_peak(Isa isa, std::int64_t steps, std::uint64_t* state) {
  return detail::best_of<Peak>(isa, &HWY_STATIC_DISPATCH(floats), HWY_CHOOSE_SSE4(floats),
                               HWY_CHOOSE_AVX2(floats), HWY_CHOOSE_AVX3(floats),
                               HWY_CHOOSE_AVX3_DL(floats))(steps, state);
}
}  // namespace bittern::kernels
#endif
