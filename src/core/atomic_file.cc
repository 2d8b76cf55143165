#include "core/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace bittern {
namespace {

Error failed(const std::filesystem::path& path, const char* what, int reason) {
  return io_error(path.string() + ": cannot " + what + ": " + std::strerror(reason));
}

Status flush_to_disk(const std::filesystem::path& path, int open_flags) {
  const int descriptor = ::open(path.c_str(), open_flags | O_CLOEXEC);
  if (descriptor < 0) return failed(path, "open", errno);
  const int result = ::fsync(descriptor);
  const int reason = errno;
  ::close(descriptor);
  // Some file systems cannot flush a folder; the rename is then as safe as it gets.
  if (result != 0 && reason != EINVAL && reason != EROFS) return failed(path, "flush", reason);
  return {};
}

Status write_all(const std::filesystem::path& temporary, const std::filesystem::path& path,
                 std::span<const std::byte> bytes) {
  const int descriptor = ::open(temporary.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (descriptor < 0) return failed(path, "open", errno);
  while (!bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) {
      const int reason = written == 0 ? ENOSPC : errno;
      ::close(descriptor);
      return failed(path, "write", reason);
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (::close(descriptor) != 0) return failed(path, "write", errno);
  return {};
}

}  // namespace

Status write_file_with(const std::filesystem::path& path,
                       const std::function<Status(const std::filesystem::path&)>& write) {
  // A link or a device stands for what it points to; replacing it would destroy it (`--out /dev/null`).
  std::error_code ignored;
  std::filesystem::path target = path;
  if (std::filesystem::is_symlink(path, ignored)) target = std::filesystem::weakly_canonical(path, ignored);
  if (std::filesystem::exists(target, ignored) && !std::filesystem::is_regular_file(target, ignored)) {
    if (std::filesystem::is_directory(target, ignored))
      return invalid_argument(path.string() + ": is a folder");
    return write(target);
  }
  std::string pattern = target.string() + ".XXXXXX";
  const int descriptor = ::mkstemp(pattern.data());
  if (descriptor < 0) return failed(path, "create", errno);
  ::close(descriptor);
  const std::filesystem::path temporary = pattern;
  Status status = write(temporary);
  if (status.ok()) status = flush_to_disk(temporary, O_RDONLY);
  if (status.ok()) {
    const mode_t mask = ::umask(0);
    ::umask(mask);
    ::chmod(temporary.c_str(), static_cast<mode_t>(0666 & ~mask));
    if (::rename(temporary.c_str(), target.c_str()) != 0) status = failed(path, "replace", errno);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  const std::filesystem::path folder = target.has_parent_path() ? target.parent_path() : ".";
  return flush_to_disk(folder, O_RDONLY | O_DIRECTORY);
}

Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  return write_file_with(
      path, [&](const std::filesystem::path& temporary) { return write_all(temporary, path, bytes); });
}

Status write_file(const std::filesystem::path& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace bittern
