// Many clips on several cores: a session per thread, answers in the order of the clips and with the same bits
// for any number of threads. Not built where there are no threads (WebAssembly).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/status.h"
#include "exits/rule.h"
#include "model/model.h"
#include "runtime/session.h"

namespace bittern::runtime {

struct BatchAnswer {
  Classification said;               // its probabilities are those below
  std::vector<float> probabilities;  // [classes]
  double time_us = 0;  // samples to answer on its thread; planning for clips of a new length is left out
};

class Batch {
 public:
  // The samples of a clip, mono at the model's rate. Called on any of the threads, on several at once.
  // `memory` belongs to the thread: samples may be put there, and live until its next call.
  using Source =
      std::function<Expected<std::span<const float>>(std::size_t clip, std::vector<float>& memory)>;
  // A clip's answer, or the error of its Source or of Session::classify(). Called on the caller's thread, in
  // the order of clips; an error ends the batch.
  using Sink = std::function<Status(std::size_t clip, const Expected<BatchAnswer>& answer)>;

  // `threads` sessions, from 1; options.arena must be empty. Errors: as Session::create().
  static Expected<Batch> create(const std::shared_ptr<const model::Model>& model,
                                const SessionOptions& options, int threads);

  // Clips [0, count), begun in this order; few of them are in memory at a time. `policy` and `only` as in
  // Session::classify(). The error of `sink`, or kOutOfMemory.
  Status classify(std::size_t count, const exits::Policy& policy, std::span<const std::uint8_t> only,
                  const Source& source, const Sink& sink);

  int threads() const { return static_cast<int>(sessions_.size()); }

 private:
  explicit Batch(std::vector<Session> sessions) : sessions_(std::move(sessions)) {}
  std::vector<Session> sessions_;
};

}  // namespace bittern::runtime
