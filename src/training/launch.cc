#include "training/launch.h"

#include <fmt/format.h>

#include <charconv>
#include <string_view>
#include <system_error>

namespace bittern::training {
namespace {

constexpr int kMostPort = 65535;

// The whole of the variable's text must be a number within the bounds.
Expected<int> read_number(const Environment& environment, const char* name, int least, int most) {
  const char* value = environment(name);
  if (value == nullptr) {
    return invalid_argument(
        fmt::format("{} is not set, though WORLD_SIZE is: start every process with RANK, WORLD_SIZE, "
                    "MASTER_ADDR and MASTER_PORT, as torchrun does",
                    name));
  }
  const std::string_view text(value);
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || number < least || number > most)
    return invalid_argument(fmt::format("{}='{}': must be a number from {} to {}", name, text, least, most));
  return number;
}

}  // namespace

Expected<std::optional<Launch>> read_launch(const Environment& environment) {
  if (environment("WORLD_SIZE") == nullptr) {
    // One of these alone may be of something else.
    if (environment("RANK") != nullptr && environment("MASTER_ADDR") != nullptr)
      return invalid_argument(
          "WORLD_SIZE is not set, though RANK and MASTER_ADDR are: set it, or unset them");
    return std::optional<Launch>();
  }
  Launch launch;
  BITTERN_ASSIGN_OR_RETURN(launch.size, read_number(environment, "WORLD_SIZE", 1, kMostProcesses));
  if (launch.size == 1) return std::optional<Launch>();
  BITTERN_ASSIGN_OR_RETURN(launch.rank, read_number(environment, "RANK", 0, launch.size - 1));
  if (environment("LOCAL_RANK") != nullptr) {
    BITTERN_ASSIGN_OR_RETURN(launch.local_rank, read_number(environment, "LOCAL_RANK", 0, launch.rank));
  }
  // A torchrun that says so listens on the port itself, and in the words of its own release of torch.
  const char* taken = environment("TORCHELASTIC_USE_AGENT_STORE");
  const int shift = taken != nullptr && std::string_view(taken) == "True" ? 1 : 0;
  BITTERN_ASSIGN_OR_RETURN(const int port, read_number(environment, "MASTER_PORT", 1, kMostPort - shift));
  launch.port = static_cast<std::uint16_t>(port + shift);
  const char* address = environment("MASTER_ADDR");
  if (address == nullptr || *address == '\0')
    return invalid_argument("MASTER_ADDR is not set: give every process the host name or address of rank 0");
  launch.address = address;
  return std::optional<Launch>(std::move(launch));
}

}  // namespace bittern::training
