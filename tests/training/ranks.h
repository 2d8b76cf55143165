// Several ranks in one process, a thread each.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <thread>
#include <vector>

#include "training/free_port.h"
#include "training/process_group.h"

namespace bittern::training {

// Long waits: other tests may take all cores for a while.
inline ProcessGroup::Settings patient() {
  ProcessGroup::Settings settings;
  settings.timeout = std::chrono::minutes(1);
  return settings;
}

// Runs work(group) as each rank of a group of so many.
inline void as_ranks(int size, const std::function<void(ProcessGroup&)>& work,
                     const ProcessGroup::Settings& settings = patient()) {
  const std::uint16_t port = test::free_port();
  std::vector<std::jthread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      Expected<ProcessGroup> group = ProcessGroup::connect({rank, size, "127.0.0.1", port}, settings);
      ASSERT_TRUE(group.ok()) << group.error().message;
      work(*group);
    });
  }
}

}  // namespace bittern::training
