#include "training/rendezvous.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <thread>

#include "core/descriptor.h"

namespace bittern::training {
namespace {

constexpr auto kPause = std::chrono::milliseconds(50);
constexpr int kConnectMs = 1000;  // for one try

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// This machine's address on the way to `to`; nothing where nobody listens there.
std::optional<std::string> try_to_connect(const addrinfo& to) {
  const Descriptor socket(
      ::socket(to.ai_family, to.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to.ai_protocol));
  if (!socket.open()) return std::nullopt;
  if (::connect(socket.number(), to.ai_addr, to.ai_addrlen) != 0) {
    if (errno != EINPROGRESS) return std::nullopt;
    pollfd waiting{socket.number(), POLLOUT, 0};
    if (::poll(&waiting, 1, kConnectMs) != 1) return std::nullopt;
    int error = 0;
    socklen_t length = sizeof error;
    if (::getsockopt(socket.number(), SOL_SOCKET, SO_ERROR, &error, &length) != 0 || error != 0)
      return std::nullopt;
  }
  sockaddr_storage own{};
  socklen_t length = sizeof own;
  auto* address = reinterpret_cast<sockaddr*>(&own);
  char digits[NI_MAXHOST];
  if (::getsockname(socket.number(), address, &length) != 0 ||
      ::getnameinfo(address, length, digits, sizeof digits, nullptr, 0, NI_NUMERICHOST) != 0)
    return std::nullopt;
  return std::string(digits);
}

}  // namespace

Status check_port(std::uint16_t port) {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const int on = 1;
  sockaddr_in any{};
  any.sin_family = AF_INET;
  any.sin_port = htons(port);
  if (socket.open() && ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == 0 &&
      ::bind(socket.number(), reinterpret_cast<const sockaddr*>(&any), sizeof any) == 0 &&
      ::listen(socket.number(), 1) == 0)
    return {};
  return io_error(fmt::format("port {}: cannot listen there: {}; choose another MASTER_PORT", port,
                              std::strerror(errno)));
}

Expected<std::string> reach(const std::string& address, std::uint16_t port,
                            std::chrono::steady_clock::time_point deadline,
                            const std::function<bool()>& stop) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  for (;;) {
    addrinfo* list = nullptr;
    const int failed = ::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wanted, &list);
    const Addresses addresses(list, &::freeaddrinfo);
    if (failed != 0 && failed != EAI_AGAIN)
      return not_found(fmt::format("MASTER_ADDR={}: {}", address, ::gai_strerror(failed)));
    if (failed == 0) {
      for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next)
        if (std::optional<std::string> own = try_to_connect(*entry)) return *std::move(own);
    }
    if (stop && stop()) return Error{ErrorCode::kCancelled, "interrupted while waiting for rank 0"};
    if (std::chrono::steady_clock::now() >= deadline) {
      return io_error(
          fmt::format("MASTER_ADDR={}, port {}: nobody listens there; does rank 0 run on that "
                      "machine?",
                      address, port));
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace bittern::training
