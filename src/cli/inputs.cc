#include "cli/inputs.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/interrupt.h"
#include "datasets/listing.h"

namespace bittern::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMaxSpooledBytes = std::size_t{1} << 31U;

struct CloseFile {
  void operator()(std::FILE* file) const {
    std::fclose(file);  // NOLINT(cppcoreguidelines-owning-memory): File owns it
  }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// All of standard input in a file without a name, which is gone with the program however it ends.
Expected<File> spool_standard_input() {
  File file(std::tmpfile());
  if (file == nullptr) return io_error(fmt::format("cannot make a temporary file: {}", std::strerror(errno)));
  std::array<char, 1 << 16> piece{};
  std::size_t total = 0;
  while (true) {
    const ssize_t count = ::read(STDIN_FILENO, piece.data(), piece.size());
    BITTERN_RETURN_IF_ERROR(check_interrupt());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return io_error(fmt::format("standard input: {}", std::strerror(errno)));
    if (count == 0) break;
    total += static_cast<std::size_t>(count);
    if (total > kMaxSpooledBytes)
      return invalid_argument(fmt::format("standard input: more than {} bytes", kMaxSpooledBytes));
    if (std::fwrite(piece.data(), 1, static_cast<std::size_t>(count), file.get()) !=
        static_cast<std::size_t>(count))
      return io_error(fmt::format("cannot write a temporary file: {}", std::strerror(errno)));
  }
  if (std::fflush(file.get()) != 0)
    return io_error(fmt::format("cannot write a temporary file: {}", std::strerror(errno)));
  if (total == 0) return corrupt("standard input: empty");
  std::rewind(file.get());
  return file;
}

Expected<std::vector<float>> read_path(const std::string& path, int sample_rate,
                                       const std::optional<audio::RawFormat>& raw) {
  if (!raw) return audio::decode(path, {.sample_rate = sample_rate});
  if (std::error_code ignored; fs::is_directory(path, ignored))
    return invalid_argument(path + ": is a folder");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return not_found(fmt::format("{}: {}", path, std::strerror(errno)));
  return audio::decode_raw(stream, path, *raw, {.sample_rate = sample_rate});
}

void expand_folder(const std::string& folder, std::vector<Input>& inputs) {
  const datasets::Recordings found = datasets::recordings_below(folder);
  for (const fs::path& file : found.files) inputs.push_back({file.string(), std::nullopt, true});
  for (const Error& error : found.errors) inputs.push_back({folder, error, true});
  if (found.files.empty() && found.errors.empty())
    inputs.push_back({folder, not_found(folder + ": no recordings in this folder"), true});
}

}  // namespace

std::vector<Input> expand_inputs(const std::vector<std::string>& names) {
  std::vector<Input> inputs;
  for (const std::string& name : names) {
    std::error_code ignored;
    if (name == kStandardInput || !fs::is_directory(name, ignored)) {
      inputs.push_back({name, std::nullopt, false});
    } else {
      expand_folder(name, inputs);
    }
  }
  return inputs;
}

Expected<std::vector<float>> read_input(const std::string& name, int sample_rate,
                                        const std::optional<audio::RawFormat>& raw) {
  if (name != kStandardInput) return read_path(name, sample_rate, raw);
  BITTERN_ASSIGN_OR_RETURN(const File file, spool_standard_input());
  const std::string path = fmt::format("/dev/fd/{}", ::fileno(file.get()));
  auto samples = read_path(path, sample_rate, raw);
  if (samples.ok()) return samples;
  std::string message = samples.error().message;
  if (message.starts_with(path)) message.replace(0, path.size(), "standard input");
  return Error{samples.error().code, std::move(message)};
}

}  // namespace bittern::cli
