// How often this program asked for memory with operator new, and how much it may ask for. Compile
// allocations.cc into the program.
#pragma once

#include <atomic>
#include <cstddef>

namespace bittern {

std::atomic<std::size_t>& allocations();

// Requests of more bytes than this fail, as where memory is short. Starts at SIZE_MAX.
std::atomic<std::size_t>& largest_allocation();

}  // namespace bittern
