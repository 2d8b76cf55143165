#include "cli/separate.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

namespace bittern::cli {
namespace fs = std::filesystem;

Expected<std::string> program_of(const Command& command) {
  std::error_code error;
  const fs::path self = fs::read_symlink("/proc/self/exe", error);
  if (error)
    return io_error(
        fmt::format("{}: cannot tell where bittern lies: /proc/self/exe: {}", command.name, error.message()));
  return (self.parent_path() / fmt::format("bittern-{}", command.name)).string();
}

bool is_installed(const Command& command) {
  const Expected<std::string> program = program_of(command);
  return program.ok() && ::access(program->c_str(), X_OK) == 0;
}

Error become(const Command& command, const char* const* argv) {
  std::vector<std::string> arguments;
  for (const char* const* argument = argv + 2; *argument != nullptr; ++argument)
    arguments.emplace_back(*argument);
  return become(command, arguments);
}

Error become(const Command& command, const std::vector<std::string>& arguments) {
  const Expected<std::string> found = program_of(command);
  if (!found.ok()) return found.error();
  const std::string& program = *found;
  std::vector<std::string> line{program};
  line.insert(line.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  pointers.reserve(line.size() + 1);
  for (std::string& argument : line) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  ::execv(program.c_str(), pointers.data());
  if (errno == ENOENT) {
    return unsupported(fmt::format(
        "{}: there is no {}; build with -D{}=ON, which needs {}, and install that program beside bittern",
        command.name, program, command.option, command.library));
  }
  return io_error(fmt::format("{}: cannot start {}: {}", command.name, program, std::strerror(errno)));
}

}  // namespace bittern::cli
