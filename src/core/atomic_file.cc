#include "core/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

#include "core/descriptor.h"

namespace bittern {
namespace {

namespace fs = std::filesystem;

Error failed(const fs::path& path, const char* what, int reason) {
  return io_error(path.string() + ": cannot " + what + ": " + std::strerror(reason));
}

// The number of an open descriptor that `path` names, such as /dev/stdout and /dev/fd/3; -1: it names none.
// The links in /proc are no links of a file system: what stands behind them must be written to, not replaced.
int descriptor_behind(fs::path path) {
  constexpr int kMostLinks = 40;
  std::error_code error;
  for (int links = 0; links <= kMostLinks; ++links) {
    const std::string folder = path.parent_path().string();
    if (folder == "/dev/fd" || folder == "/proc/self/fd" ||
        folder == "/proc/" + std::to_string(::getpid()) + "/fd") {
      const std::string name = path.filename().string();
      int number = -1;
      const auto [end, reason] = std::from_chars(name.data(), name.data() + name.size(), number);
      return reason == std::errc() && end == name.data() + name.size() ? number : -1;
    }
    if (!fs::is_symlink(path, error)) return -1;
    const fs::path next = fs::read_symlink(path, error);
    if (error) return -1;
    path = path.parent_path() / next;
  }
  return -1;
}

// Where `path` leads, the last link's target too if it does not exist: replacing a link would destroy it.
Expected<fs::path> follow_links(const fs::path& path) {
  constexpr int kMostLinks = 40;  // Linux's own limit
  fs::path target = path;
  std::error_code error;
  for (int links = 0; fs::is_symlink(target, error); ++links) {
    if (links == kMostLinks) return failed(path, "create", ELOOP);
    const fs::path next = fs::read_symlink(target, error);
    if (error) return failed(path, "create", error.value());
    target = target.parent_path() / next;
  }
  return target;
}

Status write_all(const Descriptor& file, const fs::path& path, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file.number(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return failed(path, "write", written == 0 ? ENOSPC : errno);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

// A device or a pipe: it stays what it is.
Status write_into(const fs::path& path, std::span<const std::byte> bytes) {
  Descriptor file(::open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC));
  if (!file.open()) return failed(path, "open", errno);
  BITTERN_RETURN_IF_ERROR(write_all(file, path, bytes));
  return file.close() ? Status() : failed(path, "write", errno);
}

// What `target` is called until it is whole; is_unfinished() knows it.
std::string unfinished_name(const fs::path& target, int number) {
  return target.string() + "." + std::to_string(::getpid()) + "-" + std::to_string(number);
}

}  // namespace

// The file that is to take the place of `target`.
class FileSet::Replacement {
 public:
  Replacement(fs::path target, fs::path path) : target_(std::move(target)), path_(std::move(path)) {}
  Replacement(const Replacement&) = delete;
  Replacement& operator=(const Replacement&) = delete;
  ~Replacement() {
    if (!name_.empty()) ::unlink(name_.c_str());
  }

  Status write(std::span<const std::byte> bytes) {
    // Without a name where the system can do that: a process that is killed meanwhile then leaves nothing.
#ifdef O_TMPFILE
    file_.reset(::open(folder().c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, kNewMode));
    if (file_.open()) {
      BITTERN_RETURN_IF_ERROR(fill(bytes));
      const std::string unnamed = "/proc/self/fd/" + std::to_string(file_.number());
      if (take_name([&](const char* name) {
            return ::linkat(AT_FDCWD, unnamed.c_str(), AT_FDCWD, name, AT_SYMLINK_FOLLOW);
          })) {
        return {};
      }
    }
#endif
    if (!take_name([&](const char* name) {
          file_.reset(::open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, kNewMode));
          return file_.number();
        })) {
      return failed(path_, "create", errno);
    }
    return fill(bytes);
  }

  Status put_in_place() {
    if (::rename(name_.c_str(), target_.c_str()) != 0) return failed(path_, "replace", errno);
    name_.clear();
    // The file is there. Where its folder cannot be flushed, that is as safe as it gets.
    const Descriptor opened(::open(folder().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (opened.open()) ::fsync(opened.number());
    return {};
  }

 private:
  static constexpr mode_t kNewMode = 0666;  // less the process's umask

  fs::path folder() const { return target_.has_parent_path() ? target_.parent_path() : "."; }

  // Names beside the target until `make` makes a file of one (0 or more); -1 and errno: it did not.
  template <class Make>
  bool take_name(Make&& make) {
    constexpr int kMostNames = 100;
    for (int i = 0; i < kMostNames; ++i) {
      std::string name = unfinished_name(target_, i);
      if (make(name.c_str()) >= 0) {
        name_ = std::move(name);
        return true;
      }
      if (errno != EEXIST) break;
    }
    return false;
  }

  Status fill(std::span<const std::byte> bytes) {
    struct stat old {};
    // Where that fails, the file system has modes of its own.
    if (::stat(target_.c_str(), &old) == 0) static_cast<void>(::fchmod(file_.number(), old.st_mode & 0777U));
    BITTERN_RETURN_IF_ERROR(write_all(file_, path_, bytes));
    // EINVAL: a file system that has nothing to flush.
    if (::fsync(file_.number()) != 0 && errno != EINVAL) return failed(path_, "flush", errno);
    return {};
  }

  fs::path target_;
  fs::path path_;  // as the caller named it
  Descriptor file_;
  std::string name_;  // none: the file has no name, or is in place
};

FileSet::FileSet() = default;
FileSet::~FileSet() = default;

Status FileSet::add(const fs::path& path, std::span<const std::byte> bytes) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return invalid_argument(path.string() + ": is a folder");
  if (descriptor_behind(path) >= 0 || (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)))
    return invalid_argument(path.string() + ": is no file, and several files are to be written");
  BITTERN_ASSIGN_OR_RETURN(const fs::path target, follow_links(path));
  auto file = std::make_unique<Replacement>(target, path);
  BITTERN_RETURN_IF_ERROR(file->write(bytes));
  files_.push_back(std::move(file));
  return {};
}

Status FileSet::put_in_place() {
  for (const std::unique_ptr<Replacement>& file : files_) BITTERN_RETURN_IF_ERROR(file->put_in_place());
  files_.clear();
  return {};
}

Status write_file(const fs::path& path, std::span<const std::byte> bytes) {
  std::error_code ignored;
  if (const int number = descriptor_behind(path); number >= 0) {
    Descriptor copy(::dup(number));
    if (!copy.open()) return failed(path, "open", errno);
    return write_all(copy, path, bytes);
  }
  if (fs::is_directory(path, ignored)) return invalid_argument(path.string() + ": is a folder");
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) return write_into(path, bytes);
  BITTERN_ASSIGN_OR_RETURN(const fs::path target, follow_links(path));
  FileSet::Replacement replacement(target, path);
  BITTERN_RETURN_IF_ERROR(replacement.write(bytes));
  return replacement.put_in_place();
}

Status check_place_for_file(const fs::path& path) {
  std::error_code ignored;
  if (descriptor_behind(path) >= 0) return {};
  if (fs::is_directory(path, ignored)) return invalid_argument(path.string() + ": is a folder");
  if (fs::exists(path, ignored) && !fs::is_regular_file(path, ignored)) return {};  // a device, a pipe
  BITTERN_ASSIGN_OR_RETURN(const fs::path target, follow_links(path));
  const fs::path folder = target.has_parent_path() ? target.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored))
    return not_found(path.string() + ": there is no folder " + folder.string());
  if (::access(folder.c_str(), W_OK) != 0)
    return io_error(path.string() + ": cannot write into " + folder.string() + ": " + std::strerror(errno));
  const long longest = ::pathconf(folder.c_str(), _PC_NAME_MAX);  // -1: the system does not say
  const std::size_t length = fs::path(unfinished_name(target, 0)).filename().native().size();
  if (longest >= 0 && length > static_cast<std::size_t>(longest)) return failed(path, "create", ENAMETOOLONG);
  return {};
}

bool is_unfinished(std::string_view name, std::string_view file) {
  if (!name.starts_with(file)) return false;
  // ".PID-N", as unfinished_name() makes it.
  std::string_view rest = name.substr(file.size());
  const auto drop_digits = [&rest] {
    const std::size_t count = std::min(rest.find_first_not_of("0123456789"), rest.size());
    rest.remove_prefix(count);
    return count > 0;
  };
  const auto drop = [&rest](char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  };
  return drop('.') && drop_digits() && drop('-') && drop_digits() && rest.empty();
}

Status write_file(const fs::path& path, std::string_view text) {
  return write_file(path, std::as_bytes(std::span(text.data(), text.size())));
}

}  // namespace bittern
