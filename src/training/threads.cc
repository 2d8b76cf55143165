#include "training/threads.h"

#include <dlfcn.h>

#include "training/torch.h"

namespace bittern::training {

void set_threads(int threads) {
  at::set_num_threads(threads);
  // OpenBLAS has a pool of its own, which torch does not size.
  if (void* function = ::dlsym(RTLD_DEFAULT, "openblas_set_num_threads"); function != nullptr)
    reinterpret_cast<void (*)(int)>(function)(threads);
}

}  // namespace bittern::training
