// Which of a training's processes this one is, as torchrun and its like say in the environment.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/status.h"

namespace bittern::training {

// More could not each have two clips of the largest batch; a mistyped number ends here.
inline constexpr int kMostProcesses = 1024;

struct Launch {
  int rank = 0;  // of this process, from 0
  int size = 1;  // processes in all
  // Where rank 0 listens: MASTER_PORT, or the next one where torchrun uses that itself.
  std::string address;
  std::uint16_t port = 0;
  int local_rank = 0;  // among the processes of this machine: LOCAL_RANK, 0 where that is not set
};

// A variable's value, as getenv() gives it: null where it is not set.
using Environment = std::function<const char*(const char*)>;

// From RANK, WORLD_SIZE, MASTER_ADDR, MASTER_PORT and LOCAL_RANK; nothing where WORLD_SIZE is not set or 1:
// then this process trains alone, whatever the others say.
Expected<std::optional<Launch>> read_launch(const Environment& environment);

}  // namespace bittern::training
