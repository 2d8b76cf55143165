// A finished model that a training learns from, as a recipe tells of it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/status.h"

namespace bittern::training {

struct TeacherName {
  std::string file;      // without its folder: places on a machine are nobody else's business
  std::string checksum;  // of all its bytes, hexadecimal
  bool operator==(const TeacherName&) const = default;
};

// Of a file that holds `bytes`. Error: its name is not UTF-8, as the recipe must be.
Expected<TeacherName> name_teacher(const std::filesystem::path& path, std::span<const std::byte> bytes);
// Of files that lie there; whether they are models is not looked at.
Expected<std::vector<TeacherName>> name_teachers(std::span<const std::filesystem::path> files);

}  // namespace bittern::training
