// A file without a place in the file system, which other processes of the same user can open by name while
// this one lives (Linux's memfd).
#pragma once

#include <span>
#include <string>

#include "core/status.h"

namespace bittern::cli {

class MemoryFile {
 public:
  static Expected<MemoryFile> create(std::span<const std::byte> bytes);
  MemoryFile(MemoryFile&& other) noexcept;
  MemoryFile& operator=(MemoryFile&&) = delete;
  ~MemoryFile();

  std::string path() const;

 private:
  explicit MemoryFile(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace bittern::cli
