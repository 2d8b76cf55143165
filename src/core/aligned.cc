#include "core/aligned.h"

#include <cstring>

namespace bittern::detail {

void* allocate_aligned(std::size_t bytes) noexcept {
  const std::size_t rounded = align_up(bytes == 0 ? 1 : bytes);
  void* memory = ::operator new (rounded, std::align_val_t{kAlignment}, std::nothrow);
  if (memory != nullptr) std::memset(memory, 0, rounded);
  return memory;
}

void free_aligned(void* memory) noexcept { ::operator delete (memory, std::align_val_t{kAlignment}); }

}  // namespace bittern::detail
