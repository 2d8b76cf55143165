// What a process that trains asks of torch and of the C library.
#pragma once

namespace bittern::training {

// How many threads torch and the libraries under it work with.
void set_threads(int threads);

// Keeps freed memory instead of giving it back to the system: every step frees and takes the same large
// tensors again, whose pages would have to be cleared anew each time.
void keep_freed_memory();

}  // namespace bittern::training
