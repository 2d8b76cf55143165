#include "training/run_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string_view>
#include <system_error>
#include <vector>

#include "core/atomic_file.h"
#include "json/text.h"

namespace bittern::training {
namespace fs = std::filesystem;

namespace {

Error failed(const fs::path& path, std::string_view what, int reason) {
  return io_error(fmt::format("{}: cannot {}: {}", path.string(), what, std::strerror(reason)));
}

bool is_remnant(const std::string& name) {
  return is_unfinished(name, "recipe.json") || is_unfinished(name, "checkpoint.pt") ||
         is_unfinished(name, "best.bittern");
}

Status remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) return io_error(fmt::format("{}: cannot remove: {}", path.string(), error.message()));
  return {};
}

}  // namespace

Expected<FolderLock> RunFolder::prepare(StartMode mode) const {
  std::error_code error;
  if (fs::exists(root, error) && !fs::is_directory(root, error))
    return invalid_argument(fmt::format("{}: is no folder; name another with --out", root.string()));
  fs::create_directories(root, error);
  if (error) return io_error(fmt::format("{}: cannot make the folder: {}", root.string(), error.message()));
  BITTERN_ASSIGN_OR_RETURN(FolderLock held, lock_folder(root, "training"));

  std::vector<std::string> names;
  for (fs::directory_iterator entry(root, error), end; !error && entry != end; entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) return io_error(fmt::format("{}: cannot list: {}", root.string(), error.message()));
  std::vector<std::string> remnants;
  std::copy_if(names.begin(), names.end(), std::back_inserter(remnants), is_remnant);
  std::erase_if(names, is_remnant);
  const bool only_recipe = names.empty() || names == std::vector<std::string>{recipe().filename().string()};
  if (mode == StartMode::kFresh && !only_recipe) {
    return invalid_argument(
        fmt::format("{}: is not empty; go on with --resume, start anew with --overwrite, or name another "
                    "folder with --out",
                    root.string()));
  }
  if (mode == StartMode::kResume && !names.empty() && !fs::exists(recipe(), error))
    return not_found(fmt::format("{}: holds no run to resume; name another folder", root.string()));

  for (const std::string& name : remnants) BITTERN_RETURN_IF_ERROR(remove_file(root / name));
  return held;
}

Status RunFolder::clear() const {
  // The checkpoint first: without it the rest cannot be taken for a run to resume.
  for (const fs::path& path : {checkpoint(), metrics(), best(), recipe()})
    BITTERN_RETURN_IF_ERROR(remove_file(path));
  return {};
}

Expected<std::int64_t> RunFolder::append_metrics(const std::string& line) const {
  const int descriptor = ::open(metrics().c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor < 0) return failed(metrics(), "write", errno);
  const off_t before = ::lseek(descriptor, 0, SEEK_END);
  const std::string text = line + '\n';
  // The checkpoint that counts this line goes to the disk next: the line must be there before it.
  const ssize_t written = ::write(descriptor, text.data(), text.size());
  const bool whole = written == static_cast<ssize_t>(text.size());
  int reason = written >= 0 && !whole ? ENOSPC : errno;
  bool done = whole;
  if (done && ::fsync(descriptor) != 0 && errno != EINVAL) {
    reason = errno;
    done = false;
  }
  // No half a line stays: others read the file.
  if (!whole && before >= 0 && ::ftruncate(descriptor, before) != 0) reason = errno;
  const off_t bytes = ::lseek(descriptor, 0, SEEK_END);
  ::close(descriptor);
  if (!done) return failed(metrics(), "write", reason);
  return std::int64_t{bytes};
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

Status RunFolder::start_over() const {
  std::ifstream file(metrics(), std::ios::binary);
  const auto lines = std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
  if (lines > 1) {  // a kill between an epoch's line and its checkpoint leaves one at most
    return corrupt(fmt::format("{}: is missing, though {} epochs are done; start anew with --overwrite",
                               checkpoint().string(), lines));
  }
  return truncate_metrics(0);
}

Status RunFolder::write_recipe(const Recipe& recipe_to_write) const {
  return write_file(recipe(), to_json(recipe_to_write).dump(2) + "\n");
}

Expected<Recipe> RunFolder::read_recipe() const {
  const auto stored = json::read_file(recipe());
  if (!stored.ok() && stored.error().code == ErrorCode::kNotFound)
    return not_found(stored.error().message + "; is this a run folder?");
  if (!stored.ok()) return corrupt(stored.error().message);
  auto parsed = recipe_from_json(*stored);
  if (!parsed.ok())
    return Error{parsed.error().code, fmt::format("{}: {}", recipe().string(), parsed.error().message)};
  return parsed;
}

}  // namespace bittern::training
