// Files that appear whole or not at all: written beside their place, flushed, then renamed.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string_view>

#include "core/status.h"

namespace bittern {

// Replaces `path` by `bytes`. On any error (kIo: missing folder, full disk, ...) `path` is as it was and
// nothing is left beside it.
Status write_file(const std::filesystem::path& path, std::span<const std::byte> bytes);
Status write_file(const std::filesystem::path& path, std::string_view text);

// The same for a writer that needs a path of its own (a library that saves by name): `write` fills the
// temporary file that it is given.
Status write_file_with(const std::filesystem::path& path,
                       const std::function<Status(const std::filesystem::path& temporary)>& write);

}  // namespace bittern
