#include "training/threads.h"

#include <dlfcn.h>
#if defined(__GLIBC__)
#include <malloc.h>
#endif

#include <limits>

#include "training/torch.h"

namespace bittern::training {

void set_threads(int threads) {
  at::set_num_threads(threads);
  // OpenBLAS has a pool of its own, which torch does not size.
  if (void* function = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"); function != nullptr)
    reinterpret_cast<void (*)(int)>(function)(threads);
}

void keep_freed_memory() {
#if defined(__GLIBC__)
  ::mallopt(M_MMAP_MAX, 0);
  ::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
#endif
}

}  // namespace bittern::training
