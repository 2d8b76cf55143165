#include <gtest/gtest.h>

#include "support.h"

namespace bittern::kernels::testing {
namespace {

TEST(KernelTable, HasEveryKernelForEveryInstructionSet) {
  for (const Isa isa : {Isa::kBaseline, Isa::kSse4, Isa::kAvx2, Isa::kAvx512, Isa::kAvx512Dl}) {
    const KernelTable& table = kernels(isa);
#define BITTERN_KERNEL(name, Type) EXPECT_NE(table.name, nullptr) << #name;
#include "kernels/kernels.inc"
#undef BITTERN_KERNEL
  }
}

#if defined(__x86_64__) && !defined(HWY_COMPILE_ONLY_SCALAR) && !defined(__AVX2__)
TEST(KernelTable, InstructionSetsHaveKernelsOfTheirOwn) {
  EXPECT_NE(kernels(Isa::kBaseline).binary_conv2d, kernels(Isa::kAvx2).binary_conv2d);
  EXPECT_NE(kernels(Isa::kAvx2).binary_conv2d, kernels(Isa::kAvx512).binary_conv2d);
  EXPECT_NE(kernels(Isa::kAvx512).binary_conv2d, kernels(Isa::kAvx512Dl).binary_conv2d);
}
#endif

}  // namespace
}  // namespace bittern::kernels::testing
