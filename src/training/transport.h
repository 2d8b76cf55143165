// What a ProcessGroup needs of c10d, whose headers one file alone includes.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "training/launch.h"

namespace at {
class Tensor;
}

namespace bittern::training {

// Every call but close() throws a std::exception where another process is gone or time is up. Tensors lie on
// the CPU, contiguous.
class Transport {
 public:
  virtual ~Transport() = default;

  // A store of texts that rank 0 keeps and all share. Calls have been carried out when they return.
  virtual void set(const std::string& key, const std::string& value) = 0;
  virtual bool has(const std::string& key) = 0;
  virtual std::string get(const std::string& key) = 0;  // waits for it
  virtual std::int64_t add(const std::string& key, std::int64_t more) = 0;

  // Connects all with all; local_address: this machine's, as the others can reach it.
  virtual void join(const std::string& local_address) = 0;
  // From join() to close():
  virtual void sum(at::Tensor& values) = 0;
  virtual void broadcast(at::Tensor& values) = 0;  // rank 0's
  virtual std::vector<at::Tensor> gather(at::Tensor& values) = 0;
  // Ends the connections that join() made; the store stays.
  virtual void close() = 0;
};

// kUnsupported in a build without Gloo, which has no transport.
Status check_transport();

// Rank 0 listens; the others must know that it does (reach() in rendezvous.h). Throws as the calls do.
std::unique_ptr<Transport> open_transport(const Launch& launch, std::chrono::milliseconds timeout);

}  // namespace bittern::training
