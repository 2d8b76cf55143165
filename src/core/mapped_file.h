// A whole file, read-only, mapped into memory.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>

#include "core/status.h"

namespace bittern {

class MappedFile {
 public:
  // Errors: kNotFound, kIo, kInvalidArgument (a folder, or more than `max_bytes`), kCorrupt (an empty file).
  static Expected<std::shared_ptr<const MappedFile>> open(const std::filesystem::path& path,
                                                          std::size_t max_bytes);

  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  // Page aligned; valid as long as this object lives.
  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  const std::byte* data_;
  std::size_t size_;
};

}  // namespace bittern
