// How often this program asked for memory with operator new. Compile allocations.cc into the program.
#pragma once

#include <atomic>
#include <cstddef>

namespace bittern {

std::atomic<std::size_t>& allocations();

}  // namespace bittern
