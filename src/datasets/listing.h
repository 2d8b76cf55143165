// What lies in a folder, in a fixed order, without exceptions.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace bittern::datasets {

// Entries sorted by name (bytes); hidden ones (a leading dot) are left out. Links count as what they point
// to.
struct Listing {
  std::vector<std::filesystem::path> folders;
  std::vector<std::filesystem::path> audio;   // names that end like audio; a broken link is one too
  std::vector<std::filesystem::path> others;  // any other file
};

// kNotFound, kInvalidArgument (not a folder), kIo (may not be read, a loop of links).
Expected<Listing> list_folder(const std::filesystem::path& folder);

// The recordings in a folder and below it, sorted by path. Links to folders are not followed: they may lead
// back. What cannot be listed is an error of its own, and the rest is there.
struct Recordings {
  std::vector<std::filesystem::path> files;
  std::vector<Error> errors;
};
Recordings recordings_below(const std::filesystem::path& folder);

Status check_folder(const std::filesystem::path& folder);
bool is_folder(const std::filesystem::path& path);
bool is_file(const std::filesystem::path& path);

// The path below `root`, with forward slashes: what is sorted, hashed and shown.
std::string relative_name(const std::filesystem::path& path, const std::filesystem::path& root);

bool is_digits(std::string_view text);  // at least one, and nothing else

}  // namespace bittern::datasets
