#include "training/transport.h"

#ifdef BITTERN_GLOO
#include <cstdlib>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#include <utility>
#endif

namespace bittern::training {

#ifdef BITTERN_GLOO
namespace {

using Gloo = c10d::ProcessGroupGloo;

class GlooTransport final : public Transport {
 public:
  GlooTransport(const Launch& launch, std::chrono::milliseconds timeout)
      : rank_(launch.rank), size_(launch.size), timeout_(timeout) {
    c10d::TCPStoreOptions options;
    options.port = launch.port;
    options.isServer = rank_ == 0;
    options.waitWorkers = false;
    options.timeout = timeout;
    store_ = c10::make_intrusive<c10d::TCPStore>(options.isServer ? std::string("127.0.0.1") : launch.address,
                                                 options);
  }

  void set(const std::string& key, const std::string& value) override {
    store_->set(key, std::vector<std::uint8_t>(value.begin(), value.end()));
    static_cast<void>(store_->check({key}));  // set() itself does not wait until rank 0 has it
  }
  bool has(const std::string& key) override { return store_->check({key}); }
  std::string get(const std::string& key) override {
    const std::vector<std::uint8_t> value = store_->get(key);
    return {value.begin(), value.end()};
  }
  std::int64_t add(const std::string& key, std::int64_t more) override { return store_->add(key, more); }

  void join(const std::string& local_address) override {
    const c10::intrusive_ptr<Gloo::Options> options = Gloo::Options::create(timeout_);
    // As torch.distributed: who names an interface knows better than the route to rank 0.
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(interface != nullptr && *interface != '\0'
                                   ? Gloo::createDeviceForInterface(interface)
                                   : Gloo::createDeviceForHostname(local_address));
    gloo_ = c10::make_intrusive<Gloo>(c10::make_intrusive<c10d::PrefixStore>("gloo", store_), rank_, size_,
                                      options);
  }
  void sum(at::Tensor& values) override {
    std::vector<at::Tensor> tensors{values};
    gloo_->allreduce(tensors)->wait();
  }
  void broadcast(at::Tensor& values) override {
    std::vector<at::Tensor> tensors{values};
    gloo_->broadcast(tensors)->wait();
  }
  std::vector<at::Tensor> gather(at::Tensor& values) override {
    std::vector<at::Tensor> inputs{values};
    std::vector<std::vector<at::Tensor>> outputs(1);
    for (int rank = 0; rank < size_; ++rank) outputs[0].push_back(at::empty_like(values));
    gloo_->allgather(outputs, inputs)->wait();
    return std::move(outputs[0]);
  }
  void close() override { gloo_.reset(); }

 private:
  int rank_;
  int size_;
  std::chrono::milliseconds timeout_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  c10::intrusive_ptr<Gloo> gloo_;
};

}  // namespace

Status check_transport() { return {}; }

std::unique_ptr<Transport> open_transport(const Launch& launch, std::chrono::milliseconds timeout) {
  return std::make_unique<GlooTransport>(launch, timeout);
}

#else

Status check_transport() {
  return unsupported(
      "WORLD_SIZE is set, but this build has no Gloo, over which processes train together; build it against "
      "a libtorch that has Gloo's headers (Debian's libtorch-dev and libgloo-dev; PyPI's torch has none)");
}

std::unique_ptr<Transport> open_transport(const Launch&, std::chrono::milliseconds) { return nullptr; }

#endif

}  // namespace bittern::training
