// Work that may crash, hang or take all memory, done where that harms nobody.
#pragma once

#include <cstddef>
#include <functional>
#include <string>

#include "core/status.h"

namespace bittern::convert {

struct ContainedLimits {
  int processor_seconds = 10;
  std::size_t memory_bytes = std::size_t{2} << 30U;  // address space; not under AddressSanitizer
  std::size_t result_bytes = std::size_t{1} << 30U;
};

// Runs `work` in a process of its own, a copy of this one, and gives back the bytes that it returned, or its
// error. What the process prints is dropped, and it writes no files. The bytes of a process that went astray
// may be anything: check them. Errors of its own: kCorrupt where it crashed or met a limit, with a message to
// stand behind a file's name; kCancelled where it was interrupted; kIo where no process can be made. To be
// called while no other thread runs.
Expected<std::string> run_contained(const std::function<Expected<std::string>()>& work,
                                    const ContainedLimits& limits = {});

}  // namespace bittern::convert
