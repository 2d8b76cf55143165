#include "training/teacher_name.h"

#include <fmt/format.h>

#include <utility>

#include "core/checksum.h"
#include "core/mapped_file.h"
#include "model/file.h"
#include "model/text.h"

namespace bittern::training {

Expected<TeacherName> name_teacher(const std::filesystem::path& path, std::span<const std::byte> bytes) {
  TeacherName name{path.filename().string(), fmt::format("{:016x}", checksum(bytes))};
  if (model::is_utf8(name.file)) return name;
  return invalid_argument(
      fmt::format("{}: its name is not UTF-8, and the recipe is to hold it: rename the file", path.string()));
}

Expected<std::vector<TeacherName>> name_teachers(std::span<const std::filesystem::path> files) {
  std::vector<TeacherName> names;
  for (const std::filesystem::path& path : files) {
    BITTERN_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path, model::kMaxFileBytes));
    BITTERN_ASSIGN_OR_RETURN(TeacherName name, name_teacher(path, file->bytes()));
    names.push_back(std::move(name));
  }
  return names;
}

}  // namespace bittern::training
