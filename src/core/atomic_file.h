// Files that appear whole or not at all: written beside their place, flushed, then renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace bittern {

// Replaces `path` by `bytes`, keeping its permissions; where it is a link, what that leads to, and a device
// is written into. On any error (kIo: missing folder, full disk, ...) `path` is as it was and nothing is left
// beside it. Nor is anything where the process is killed while bytes are written, if the file system has
// files without a name (Linux's O_TMPFILE).
Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
Status write_file(const std::filesystem::path& path, std::string_view text);

// Several files that appear together: each is written beside its place first, and all are renamed once the
// last one is there. What was added and not put in place is removed.
class FileSet {
 public:
  FileSet();
  FileSet(const FileSet&) = delete;
  FileSet& operator=(const FileSet&) = delete;
  ~FileSet();

  // Errors as write_file(); also where `path` is a device, which cannot wait.
  Status add(const std::filesystem::path& path, std::span<const std::byte> bytes);
  Status put_in_place();

 private:
  class Replacement;
  friend Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
  std::vector<std::unique_ptr<Replacement>> files_;
};

// Before long work: the error that write_file() would meet at `path` now, where its folder, or that of what a
// link leads to, is missing or not to be written into.
Status check_place_for_file(const std::filesystem::path& path);

// Whether a file of this name, in one folder with `file`, is what a killed write_file() left of `file`.
bool is_unfinished(std::string_view name, std::string_view file);

}  // namespace bittern
