// How a kernel's file is compiled once per instruction set. Each such file reads:
//
//   #undef HWY_TARGET_INCLUDE
//   #define HWY_TARGET_INCLUDE "kernels/relu.cc"
//   // clang-format off: this file says which targets there are, so it comes first
//   #include "kernels/targets.h"
//   #include "hwy/foreach_target.h"
//   #include "hwy/highway.h"
//   // clang-format on
//   HWY_BEFORE_NAMESPACE();
//   namespace bittern::kernels::HWY_NAMESPACE { namespace { void relu(...) noexcept {...} } }
//   HWY_AFTER_NAMESPACE();
//   #if HWY_ONCE
//   namespace bittern::kernels { BITTERN_EXPORT_KERNEL(relu, Relu) }
//   #endif
//
// Highway's own table of targets lives in a shared library that we do not link; this one needs headers only.
#pragma once

// Vectors whose size is known when compiling: no SVE, no RVV.
#ifndef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE2_128 | HWY_SVE_256 | HWY_SVE2 | HWY_SVE | HWY_RVV)
#endif
// Instruction sets are chosen at run time on x86-64 only.
#if !defined(__x86_64__) && !defined(HWY_COMPILE_ONLY_STATIC) && !defined(HWY_COMPILE_ONLY_SCALAR)
#define HWY_COMPILE_ONLY_STATIC
#endif

#include "core/isa.h"
#include "kernels/kernels.h"

namespace bittern::kernels::detail {

// One function per kernel: its version for `isa`, or for the best one below that was compiled.
#define BITTERN_KERNEL(name, Type) Type* name##_for(Isa isa) noexcept;
#include "kernels/kernels.inc"
#undef BITTERN_KERNEL

template <class Function>
constexpr Function* best_of(Isa isa, Function* baseline, Function* sse4, Function* avx2, Function* avx512,
                            Function* avx512_dl) noexcept {
  Function* const versions[] = {baseline, sse4, avx2, avx512, avx512_dl};
  for (int i = static_cast<int>(isa); i > 0; --i) {
    if (versions[i] != nullptr) return versions[i];
  }
  return baseline;
}

}  // namespace bittern::kernels::detail

// HWY_CHOOSE_* is null for a target that was not compiled.
// NOLINTBEGIN(bugprone-macro-parentheses): Type and name cannot stand in parentheses
#define BITTERN_EXPORT_KERNEL(name, Type)                                                               \
  Type* detail::name##_for(Isa isa) noexcept {                                                          \
    return best_of<Type>(isa, &HWY_STATIC_DISPATCH(name), HWY_CHOOSE_SSE4(name), HWY_CHOOSE_AVX2(name), \
                         HWY_CHOOSE_AVX3(name), HWY_CHOOSE_AVX3_DL(name));                              \
  }
// NOLINTEND(bugprone-macro-parentheses)
