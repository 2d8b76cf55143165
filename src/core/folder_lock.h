// One process at a time in a folder.
#pragma once

#include <filesystem>
#include <string_view>
#include <utility>

#include "core/status.h"

namespace bittern {

// While it lives nobody else gets one of the same folder. Released by the system however the process ends.
class FolderLock {
 public:
  FolderLock() = default;
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  FolderLock(FolderLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderLock& operator=(FolderLock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~FolderLock();

 private:
  int descriptor_ = -1;
};

// Of a folder that is there; where it is taken, kInvalidArgument says that another `work` is at work there.
// Some network file systems have no locks: there everybody gets one.
Expected<FolderLock> lock_folder(const std::filesystem::path& folder, std::string_view work);

}  // namespace bittern
