// Files that appear whole or not at all: written beside their place, flushed, then renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string_view>

#include "core/status.h"

namespace bittern {

// Replaces `path` by `bytes`, keeping its permissions; where it is a link, what that leads to, and a device
// is written into. On any error (kIo: missing folder, full disk, ...) `path` is as it was and nothing is left
// beside it. Nor is anything where the process is killed while bytes are written, if the file system has
// files without a name (Linux's O_TMPFILE).
Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
Status write_file(const std::filesystem::path& path, std::string_view text);

// Before long work: the error that write_file() would meet at `path` now, where its folder, or that of what a
// link leads to, is missing or not to be written into.
Status check_place_for_file(const std::filesystem::path& path);

// Whether a file of this name, in one folder with `file`, is what a killed write_file() left of `file`.
bool is_unfinished(std::string_view name, std::string_view file);

}  // namespace bittern
