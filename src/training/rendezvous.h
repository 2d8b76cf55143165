// How processes on several machines find the one that listens.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "core/status.h"

namespace bittern::training {

// Whether this process could listen on the port: an error that says why not.
Status check_port(std::uint16_t port);

// Waits until somebody listens at address:port. Gives this machine's own address on the way there, as digits.
// Errors: a name that nobody knows; `deadline` passed; kCancelled where stop() (may be null) was true.
Expected<std::string> reach(const std::string& address, std::uint16_t port,
                            std::chrono::steady_clock::time_point deadline,
                            const std::function<bool()>& stop);

}  // namespace bittern::training
