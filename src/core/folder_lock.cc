#include "core/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

namespace bittern {

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Expected<FolderLock> lock_folder(const std::filesystem::path& folder, std::string_view work) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return io_error(folder.string() + ": cannot open the folder: " + std::strerror(errno));
  FolderLock held(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
    return invalid_argument(folder.string() + ": another " + std::string(work) + " is at work there");
  return held;
}

}  // namespace bittern
