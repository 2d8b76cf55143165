#include "reproduce/machine.h"

#include <array>
#include <fstream>
#include <string_view>

namespace bittern::reproduce {

std::string processor_name() {
  std::ifstream text("/proc/cpuinfo");
  return processor_name(text);
}

std::string processor_name(std::istream& text) {
  // x86 has the first for each core; ARM boards have at most the second, once, at the end.
  constexpr std::array<std::string_view, 2> kKeys{"model name", "Model"};
  for (std::string line; std::getline(text, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string_view key =
        std::string_view(line).substr(0, line.find_last_not_of(" \t", colon - 1) + 1);
    for (const std::string_view wanted : kKeys) {
      if (key != wanted) continue;
      const std::size_t begin = line.find_first_not_of(" \t", colon + 1);
      const std::size_t end = line.find_last_not_of(" \t\r");
      return begin == std::string::npos ? "" : line.substr(begin, end - begin + 1);
    }
  }
  return {};
}

}  // namespace bittern::reproduce
