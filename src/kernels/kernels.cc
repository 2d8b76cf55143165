#include "kernels/kernels.h"

#include <array>
#include <cstddef>

#include "kernels/targets.h"

namespace bittern::kernels {
namespace {

KernelTable table_for(Isa isa) noexcept {
  KernelTable table;
#define BITTERN_KERNEL(name, Type) table.name = detail::name##_for(isa);
#include "kernels/kernels.inc"
#undef BITTERN_KERNEL
  return table;
}

}  // namespace

const KernelTable& kernels(Isa isa) noexcept {
  static const std::array<KernelTable, 5> tables{table_for(Isa::kBaseline), table_for(Isa::kSse4),
                                                 table_for(Isa::kAvx2), table_for(Isa::kAvx512),
                                                 table_for(Isa::kAvx512Dl)};
  return tables[static_cast<std::size_t>(isa)];
}

}  // namespace bittern::kernels
