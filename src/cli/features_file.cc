#include "cli/features_file.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <utility>

#include "graph/network.h"

namespace bittern::cli {
namespace {

static_assert(std::endian::native == std::endian::little, "samples are read as they lie");

constexpr std::string_view kMagic = "\x93NUMPY";
constexpr std::size_t kMaxHeaderBytes = std::size_t{1} << 16U;
constexpr std::uint64_t kMaxClips = std::uint64_t{1} << 32U;

// What stands behind `'key':` in the header, a Python dictionary as NumPy prints it; empty: not there.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(fmt::format("'{}':", key));
  if (at == std::string_view::npos) return {};
  std::string_view rest = header.substr(at + key.size() + 3);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

// "(3, 98, 64)"
std::optional<std::vector<std::uint64_t>> parse_shape(std::string_view text) {
  std::vector<std::uint64_t> shape;
  if (!text.starts_with('(')) return std::nullopt;
  text.remove_prefix(1);
  while (true) {
    text.remove_prefix(std::min(text.find_first_not_of(", "), text.size()));
    if (text.starts_with(')')) return shape;
    std::uint64_t size = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), size);
    if (error != std::errc() || shape.size() == 3) return std::nullopt;
    shape.push_back(size);
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
}

// The dictionary; the stream then stands at the first number.
Expected<std::string> read_header(std::istream& stream, const std::string& path) {
  std::array<char, 8> start{};
  stream.read(start.data(), start.size());
  if (!stream || std::string_view(start.data(), kMagic.size()) != kMagic)
    return corrupt(path + ": not a NumPy file (.npy); write one with numpy.save");
  std::array<unsigned char, 4> size{};
  stream.read(reinterpret_cast<char*>(size.data()), start[6] == 1 ? 2 : 4);
  const std::size_t bytes = size[0] | static_cast<std::size_t>(size[1]) << 8U |
                            static_cast<std::size_t>(size[2]) << 16U |
                            static_cast<std::size_t>(size[3]) << 24U;
  if (start[6] < 1 || start[6] > 3 || bytes > kMaxHeaderBytes)
    return unsupported(fmt::format("{}: .npy version {}, or a header of {} bytes, which nobody writes", path,
                                   static_cast<int>(start[6]), bytes));
  std::string header(bytes, '\0');
  stream.read(header.data(), static_cast<std::streamsize>(bytes));
  if (!stream) return corrupt(path + ": ends within its header");
  return header;
}

}  // namespace

Expected<FeaturesFile> FeaturesFile::open(const std::string& path, int bins) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return invalid_argument(path + ": is a folder");
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return not_found(fmt::format("{}: {}", path, std::strerror(errno)));
  BITTERN_ASSIGN_OR_RETURN(const std::string header, read_header(stream, path));
  if (!value_of(header, "descr").starts_with("'<f4'"))
    return unsupported(path + ": the numbers are not float32; save x.astype('float32')");
  if (!value_of(header, "fortran_order").starts_with("False"))
    return unsupported(path + ": in Fortran order; save numpy.ascontiguousarray(x)");
  std::optional<std::vector<std::uint64_t>> shape = parse_shape(value_of(header, "shape"));
  if (shape && shape->size() == 2) shape->insert(shape->begin(), 1);
  if (!shape || shape->size() != 3 || (*shape)[2] != static_cast<std::uint64_t>(bins) || (*shape)[1] < 1 ||
      (*shape)[1] > graph::kMaxTime || (*shape)[0] > kMaxClips) {
    return invalid_argument(
        fmt::format("{}: the shape is not [clips, frames, {}], with 1 to {} frames, as the model takes it",
                    path, bins, graph::kMaxTime));
  }
  const auto begin = static_cast<std::uint64_t>(stream.tellg());
  const std::uint64_t bytes = (*shape)[0] * (*shape)[1] * (*shape)[2] * sizeof(float);
  const std::uintmax_t size = std::filesystem::file_size(path, error);
  if (error || size != begin + bytes)
    return corrupt(
        fmt::format("{}: its header speaks of {} bytes of numbers, which it does not hold", path, bytes));
  return FeaturesFile(path, std::move(stream), static_cast<std::size_t>((*shape)[0]),
                      static_cast<int>((*shape)[1]), bins);
}

Status FeaturesFile::next(std::vector<float>& features) {
  features.resize(static_cast<std::size_t>(frames_) * static_cast<std::size_t>(bins_));
  stream_.read(reinterpret_cast<char*>(features.data()),
               static_cast<std::streamsize>(features.size() * sizeof(float)));
  if (!stream_) return io_error(path_ + ": became shorter while it was read");
  return {};
}

}  // namespace bittern::cli
