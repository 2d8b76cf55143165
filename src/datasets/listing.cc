#include "datasets/listing.h"

#include <algorithm>
#include <system_error>

#include "audio/audio.h"
#include "datasets/dataset.h"

namespace bittern::datasets {
namespace fs = std::filesystem;

namespace {

Error cannot_list(const fs::path& folder, const std::error_code& reason) {
  return io_error(folder.string() + ": cannot list this folder: " + reason.message());
}

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

Status check_folder(const fs::path& folder) {
  std::error_code reason;
  const fs::file_status status = fs::status(folder, reason);
  if (status.type() == fs::file_type::not_found) return not_found(folder.string() + ": no such folder");
  if (reason) return cannot_list(folder, reason);
  if (status.type() != fs::file_type::directory) return invalid_argument(folder.string() + ": not a folder");
  return {};
}

Expected<Listing> list_folder(const fs::path& folder) {
  BITTERN_RETURN_IF_ERROR(check_folder(folder));
  Listing listing;
  std::error_code reason;
  fs::directory_iterator entries(folder, reason);
  for (; !reason && entries != fs::directory_iterator(); entries.increment(reason)) {
    const fs::path& path = entries->path();
    if (path.filename().string().starts_with('.')) continue;
    std::error_code status_reason;
    const fs::file_type type = entries->status(status_reason).type();  // of most the listing itself tells
    if (type == fs::file_type::directory) {
      listing.folders.push_back(path);
    } else if (audio::has_audio_extension(path) &&
               (status_reason || type == fs::file_type::regular || type == fs::file_type::not_found)) {
      listing.audio.push_back(path);  // a link that leads nowhere too: decoding says what is wrong with it
    } else if (type == fs::file_type::regular || type == fs::file_type::not_found) {
      listing.others.push_back(path);
    } else if (status_reason) {
      return cannot_list(path, status_reason);
    }  // pipes, sockets and devices are not recordings
  }
  if (reason) return cannot_list(folder, reason);
  for (auto* paths : {&listing.folders, &listing.audio, &listing.others})
    std::sort(paths->begin(), paths->end(),
              [](const fs::path& a, const fs::path& b) { return a.native() < b.native(); });
  return listing;
}

std::string relative_name(const fs::path& path, const fs::path& root) {
  return path.lexically_relative(root).generic_string();
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

Recordings recordings_below(const fs::path& folder) {
  Recordings found;
  std::vector<fs::path> waiting = {folder};
  while (!waiting.empty()) {
    const fs::path next = waiting.back();
    waiting.pop_back();
    const Expected<Listing> listing = list_folder(next);
    if (!listing.ok()) {
      found.errors.push_back(listing.error());
      continue;
    }
    found.files.insert(found.files.end(), listing->audio.begin(), listing->audio.end());
    for (const fs::path& inner : listing->folders) {
      std::error_code ignored;
      if (!fs::is_symlink(inner, ignored)) waiting.push_back(inner);
    }
  }
  // Those of one folder are: to compare paths part by part takes its time.
  if (!std::is_sorted(found.files.begin(), found.files.end()))
    std::sort(found.files.begin(), found.files.end());
  return found;
}

Expected<std::vector<fs::path>> noise_files(const fs::path& folder) {
  Recordings found = recordings_below(folder);
  if (!found.errors.empty()) return found.errors.front();
  if (found.files.empty()) return not_found(folder.string() + ": no recordings in this folder");
  return std::move(found.files);
}

}  // namespace bittern::datasets
