#include "core/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace bittern {
namespace {

// A model is checked as a whole when it is opened, so its pages may as well come in one go.
#ifdef MAP_POPULATE
constexpr int kAtOnce = MAP_POPULATE;
#else
constexpr int kAtOnce = 0;
#endif

}  // namespace

Expected<std::shared_ptr<const MappedFile>> MappedFile::open(const std::filesystem::path& path,
                                                             std::size_t max_bytes) {
  const int descriptor =
      ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a pipe must not make us wait
  if (descriptor < 0) {
    const int reason = errno;
    const std::string message = path.string() + ": " + std::strerror(reason);
    return reason == ENOENT ? not_found(message) : io_error(message);
  }
  struct stat info {};
  const bool known = ::fstat(descriptor, &info) == 0;
  Expected<std::shared_ptr<const MappedFile>> result = io_error(path.string() + ": cannot be read");
  if (known && !S_ISREG(info.st_mode)) {
    result = invalid_argument(path.string() + ": not a regular file");
  } else if (known && info.st_size <= 0) {
    result = corrupt(path.string() + ": the file is empty");
  } else if (known && static_cast<std::size_t>(info.st_size) > max_bytes) {
    result = invalid_argument(path.string() + ": " + std::to_string(info.st_size) +
                              " bytes, more than the limit of " + std::to_string(max_bytes));
  } else if (known) {
    const auto size = static_cast<std::size_t>(info.st_size);
    void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE | kAtOnce, descriptor, 0);
    if (data != MAP_FAILED) {
      result = std::shared_ptr<const MappedFile>(new MappedFile(static_cast<const std::byte*>(data), size));
    } else {
      result = io_error(path.string() + ": " + std::strerror(errno));
    }
  }
  ::close(descriptor);
  return result;
}

MappedFile::~MappedFile() { ::munmap(const_cast<std::byte*>(data_), size_); }

}  // namespace bittern
