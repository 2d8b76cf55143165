#include "training/run_folder.h"

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <system_error>

#include "core/atomic_file.h"

namespace bittern::training {
namespace fs = std::filesystem;

Status RunFolder::prepare(StartMode mode) const {
  std::error_code error;
  if (mode == StartMode::kResume) {
    if (!fs::is_directory(root, error))
      return not_found(fmt::format("{}: no such run to resume; start it without --resume", root.string()));
    return {};
  }
  if (fs::exists(root, error) && !fs::is_directory(root, error))
    return invalid_argument(fmt::format("{}: is no folder; name another with --out", root.string()));
  fs::create_directories(root, error);
  if (error) return io_error(fmt::format("{}: cannot make the folder: {}", root.string(), error.message()));
  if (mode == StartMode::kFresh && !fs::is_empty(root, error)) {
    return invalid_argument(
        fmt::format("{}: is not empty; go on with --resume, start anew with --overwrite, or name another "
                    "folder with --out",
                    root.string()));
  }
  // The checkpoint first: without it the rest cannot be taken for a run to resume.
  for (const fs::path& path : {checkpoint(), metrics(), best(), recipe()}) {
    fs::remove(path, error);
    if (error) return io_error(fmt::format("{}: cannot remove: {}", path.string(), error.message()));
  }
  return {};
}

Expected<std::int64_t> RunFolder::append_metrics(const std::string& line) const {
  std::ofstream file(metrics(), std::ios::app | std::ios::binary);
  file << line << '\n';
  file.close();
  std::error_code error;
  const auto bytes = fs::file_size(metrics(), error);
  if (!file || error) return io_error(fmt::format("{}: cannot write", metrics().string()));
  return static_cast<std::int64_t>(bytes);
}

Status RunFolder::truncate_metrics(std::int64_t bytes) const {
  std::error_code error;
  const bool there = fs::exists(metrics(), error);
  const auto size = there ? static_cast<std::int64_t>(fs::file_size(metrics(), error)) : 0;
  if (size < bytes) {
    return corrupt(
        fmt::format("{}: is shorter than when the checkpoint was written; start anew with --overwrite",
                    metrics().string()));
  }
  if (size > bytes) fs::resize_file(metrics(), static_cast<std::uintmax_t>(bytes), error);
  if (error) return io_error(fmt::format("{}: cannot shorten: {}", metrics().string(), error.message()));
  return {};
}

Status RunFolder::write_recipe(const Recipe& recipe_to_write) const {
  return write_file(recipe(), to_json(recipe_to_write).dump(2) + "\n");
}

Expected<Recipe> RunFolder::read_recipe() const {
  std::ifstream file(recipe(), std::ios::binary);
  if (!file) return not_found(fmt::format("{}: cannot read; is this a run folder?", recipe().string()));
  std::ostringstream text;
  text << file.rdbuf();
  const auto json = nlohmann::ordered_json::parse(text.str(), nullptr, false);
  if (json.is_discarded()) return corrupt(fmt::format("{}: is not JSON", recipe().string()));
  auto parsed = recipe_from_json(json);
  if (!parsed.ok())
    return Error{parsed.error().code, fmt::format("{}: {}", recipe().string(), parsed.error().message)};
  return parsed;
}

}  // namespace bittern::training
