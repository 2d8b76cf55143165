// What a model takes besides time per answer: time to be loaded and to give the first answer, memory, program
// size.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/status.h"
#include "evaluation/latency.h"

namespace bittern::cli {

struct Footprint {
  int runs = 0;
  std::uintmax_t model_bytes = 0;  // of the file, which is mapped
  // Opening and verifying the model, then making a session with its plan; the file is in the system's cache.
  evaluation::Quantiles open_us;
  evaluation::Quantiles plan_us;
  evaluation::Quantiles load_us;  // both
  // Until a `bittern classify` on one window, started as a process, prints.
  evaluation::Quantiles first_answer_us;
  // Heap that model and session hold after an answer; none where the C library does not tell.
  std::optional<std::size_t> memory_bytes;
  std::size_t arena_bytes = 0;  // of these, the session's working memory
  // What libbittern.a adds to a stripped C program, without and with the C++ library; none in builds that are
  // not Release.
  std::optional<long long> library_bytes;
  std::optional<long long> library_with_cxx_runtime_bytes;
};

// `path`: a model file. `go_on(done, total)` is asked between runs; false stops with kCancelled.
Expected<Footprint> measure_footprint(const std::string& path, int runs,
                                      const std::function<bool(std::size_t, std::size_t)>& go_on);

}  // namespace bittern::cli
