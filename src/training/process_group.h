// The processes that train one network together, over c10d with Gloo. Every one of them makes the same calls
// in the same order.
//
// Where one process ends, however it does, the calls of all others fail, each with one line that says which
// one it was and, where it could still tell, why. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "training/launch.h"

namespace at {
class Tensor;
}

namespace bittern::training {

class ProcessGroup {
 public:
  struct Settings {
    // How long a call waits for the slowest of the others, and connect() for the last to come.
    std::chrono::milliseconds timeout = std::chrono::minutes(10);
    // How long after a failure the others have to say that they are still there.
    std::chrono::milliseconds grace = std::chrono::seconds(10);
    // Asked while connect() waits; true ends it with kCancelled. May be null.
    std::function<bool()> stop;
  };

  // Of one process: nothing is sent, every call gives what went in.
  ProcessGroup();
  // Waits for all others. Errors: an address that cannot be resolved or listened on, a rank that did not come
  // or came twice, another number of processes there, kUnsupported in a build without Gloo.
  static Expected<ProcessGroup> connect(const Launch& launch, Settings settings);

  ProcessGroup(ProcessGroup&&) noexcept;
  ProcessGroup& operator=(ProcessGroup&&) noexcept;
  ~ProcessGroup();

  int rank() const { return rank_; }
  int size() const { return size_; }
  int local_rank() const { return local_rank_; }  // among the processes of this machine
  bool is_first() const { return rank_ == 0; }

  // tensors (float32, shaped alike on all ranks, on any device) become the sum over ranks of share * tensor:
  // the same bits on every rank. One message for all of them.
  Status average(const std::vector<at::Tensor>& tensors, double share);
  // tensors become those of rank 0.
  Status broadcast(const std::vector<at::Tensor>& tensors);
  // counts become sums over ranks.
  Status sum(std::vector<std::int64_t>& counts);
  // Each rank's text, by rank. For little.
  Expected<std::vector<std::string>> gather(const std::string& own);
  // Rank 0's text.
  Expected<std::string> from_first(const std::string& own);
  // Whether it is true of any rank.
  Expected<bool> any(bool own);

  // This rank ends because of `error`, which the others are told. No calls but finish() may follow.
  void fail(const Error& error);
  // The end of what is done together, without an error: rank 0, through which the others hear of failures,
  // waits until all are there.
  Status finish();

 private:
  struct Connection;
  ProcessGroup(std::unique_ptr<Connection> connection, const Launch& launch);

  std::unique_ptr<Connection> connection_;  // null: alone
  int rank_ = 0;
  int size_ = 1;
  int local_rank_ = 0;
};

}  // namespace bittern::training
