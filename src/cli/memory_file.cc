#include "cli/memory_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace bittern::cli {

Expected<MemoryFile> MemoryFile::create(std::span<const std::byte> bytes) {
  MemoryFile file(::memfd_create("bittern", MFD_CLOEXEC));
  if (file.descriptor_ < 0) return io_error(fmt::format("cannot make a file: {}", std::strerror(errno)));
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.descriptor_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return io_error(fmt::format("cannot write a file: {}", std::strerror(errno)));
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return file;
}

MemoryFile::MemoryFile(MemoryFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

MemoryFile::~MemoryFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string MemoryFile::path() const { return fmt::format("/proc/{}/fd/{}", ::getpid(), descriptor_); }

}  // namespace bittern::cli
