// Ports for tests that listen.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>

#include "core/descriptor.h"

namespace bittern::test {

// One that nobody listens on now; 0 where there is none.
inline std::uint16_t free_port() {
  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in any{};
  any.sin_family = AF_INET;
  socklen_t length = sizeof any;
  auto* address = reinterpret_cast<sockaddr*>(&any);
  if (!socket.open() || ::bind(socket.number(), address, length) != 0 ||
      ::getsockname(socket.number(), address, &length) != 0)
    return 0;
  return ntohs(any.sin_port);
}

}  // namespace bittern::test
